import type { CallSettings } from '../options.js';

/** The settings for the next request of a call that began at `startedAt` (`performance.now()`): with what is left of it. */
export function within(settings: CallSettings, startedAt: number): CallSettings {
  const left = settings.deadline - (performance.now() - startedAt);
  return { ...settings, deadline: Math.max(1, Math.ceil(left)) };
}
