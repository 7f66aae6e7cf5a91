import type { OpenWatchState } from '../../watch/watches.js';
import type { Target } from './target.js';

/** One open watch: a connection, and all who follow it. */
export interface OpenWatch extends Target, OpenWatchState {}
