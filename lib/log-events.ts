import { EMPTY, filter, map, merge, type Subscription } from 'rxjs';
import { check, checkOptions } from './check.js';
import { oneLine } from './one-line.js';
import type { BodyText, ClientEvent, EventBus } from './events.js';

/** How much an event matters. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Options of {@link EtcdClient.logEvents}. */
export interface LogOptions {
  /** What is printed: this level and those above. Requests and answers are `'debug'`. Default `'info'`. */
  level?: LogLevel | undefined;
  /**
   * Prints what requests and answers hold, values included, whatever the level: for debugging. Never that of
   * authentication, nor a credential. Default false.
   */
  bodies?: boolean | undefined;
  /** Takes one line. Default: to stderr, through `console.error`. */
  write?: ((line: string, level: LogLevel) => void) | undefined;
}

interface Line {
  readonly at: Date;
  readonly level: LogLevel;
  readonly text: string;
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** The line alone: after another argument it would be a format. */
const toStderr = (line: string): void => {
  console.error(line);
};

/** A longer line of a log is cut, characters. */
const maxLine = 2_000;

/** Prints events, one line each, until unsubscribed or the client is closed. */
export function logEvents(events: EventBus, options: LogOptions = {}): Subscription {
  checkOptions('', options, { level: check.oneOf(...levels), bodies: check.boolean, write: check.fn });
  const { level: least = 'info', bodies = false, write = toStderr } = options;
  const events$ = events.events$.pipe(
    map(eventLine),
    filter(({ level }) => levels.indexOf(level) >= levels.indexOf(least)),
  );
  const bodies$ = bodies ? events.bodies$.pipe(map(bodyLine)) : EMPTY;
  return merge(events$, bodies$).subscribe({
    next: ({ at, level, text }) => {
      const line = oneLine(`${at.toISOString()} ${level} rxetcd ${text}`);
      write(line.length > maxLine ? `${line.slice(0, maxLine)}...` : line, level);
    },
    // Events never error.
    error: () => undefined,
  });
}

function bodyLine({ at, direction, operation, method, endpoint, path, status, body }: BodyText): Line {
  const answered = status === undefined ? '' : ` ${String(status)}`;
  return {
    at,
    level: 'debug',
    text: `${direction} ${operation} ${method} ${endpoint}${path}${answered}: ${body}`,
  };
}

function eventLine(event: ClientEvent): Line {
  return { at: event.at, level: levelOf(event), text: `${event.type} ${describe(event)}` };
}

function levelOf(event: ClientEvent): LogLevel {
  switch (event.type) {
    case 'request':
    case 'response':
    case 'watch-live':
    case 'watch-catching-up':
    case 'watch-waiting':
      return 'debug';
    case 'retry':
    case 'failover':
    case 'member-down':
    case 'partial-view':
    case 'watch-lost':
    case 'watch-resync':
      return 'warn';
    case 'watch-ended':
      return event.error === undefined ? 'info' : 'error';
    case 'leader-change':
      return event.leader === undefined ? 'warn' : 'info';
    case 'member-up':
      return 'info';
  }
}

const ms = (duration: number): string => `${duration.toFixed(0)} ms`;
const nameOf = (member: { id: string; name: string } | undefined): string =>
  member === undefined ? 'none' : member.name || member.id;

function describe(event: ClientEvent): string {
  switch (event.type) {
    case 'request':
      return `${event.operation} ${event.method} ${event.endpoint}${event.path}`;
    case 'response': {
      const { operation, method, endpoint, path, status, error, durationMs } = event;
      const result = [status, error].filter((x) => x !== undefined).join(' ');
      return `${operation} ${method} ${endpoint}${path}: ${result} in ${ms(durationMs)}`;
    }
    case 'retry':
      return `${String(event.attempt)} of ${event.operation}, after ${event.endpoint}: ${event.reason}`;
    case 'failover':
      return `${event.operation}: ${event.from} -> ${event.to}`;
    case 'leader-change':
      return `${nameOf(event.previous)} -> ${nameOf(event.leader)} after ${ms(event.durationMs)}`;
    case 'member-down':
    case 'member-up':
      return `${nameOf(event.member)} after ${ms(event.durationMs)}`;
    case 'partial-view':
      return `${String(event.reachable)} of ${String(event.members)} members reached`;
    case 'watch-live':
    case 'watch-catching-up':
    case 'watch-waiting':
      return `${String(event.id)} ${event.key} at ${event.endpoint}${fromIndex(event.index)}`;
    case 'watch-lost':
      return `${String(event.id)} ${event.key} at ${event.endpoint}${fromIndex(event.index)}: ${event.reason}`;
    case 'watch-resync':
      return `${String(event.id)} ${event.key} at ${event.endpoint}, lost ${String(event.lost.from)} to ${String(event.lost.to)}: ${event.reason}`;
    case 'watch-ended':
      return `${String(event.id)} ${event.key} after ${ms(event.durationMs)}${event.error === undefined ? '' : `: ${event.error}`}`;
  }
}

const fromIndex = (index: number | undefined): string =>
  index === undefined ? '' : ` from ${String(index)}`;
