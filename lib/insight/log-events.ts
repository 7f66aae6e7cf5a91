import { defer, EMPTY, filter, map, merge, mergeMap, type Subscription } from 'rxjs';
import { check, checkOptions } from '../check.js';
import { LostWatches } from './lost-watches.js';
import { oneLine } from '../util/one-line.js';
import type { LostEvents } from '../errors.js';
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
  const events$ = defer(() => {
    const lost = new LostWatches();
    return events.events$.pipe(mergeMap((event) => eventLines(event, lost)));
  }).pipe(filter(({ level }) => levels.indexOf(level) >= levels.indexOf(least)));
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
  const answered = status === undefined ? '' : ` ${status}`;
  return {
    at,
    level: 'debug',
    text: `${direction} ${operation} ${method} ${endpoint}${path}${answered}: ${body}`,
  };
}

/** Its line, and one on all watches that it befell if it was not this one alone. */
function eventLines(event: ClientEvent, lost: LostWatches): Line[] {
  const { at, type } = event;
  const remark = lost.saw(event);
  const text = `${type} ${describe(event)}`;
  if (type !== 'watch-lost' && type !== 'watch-live') return [{ at, level: levelOf(event), text }];
  if (remark.more === undefined) return [{ at, level: remark.level, text }];
  return [
    { at, level: 'debug', text },
    { at, level: remark.level, text: `${type} ${remark.more}` },
  ];
}

function levelOf(event: Exclude<ClientEvent, { type: 'watch-lost' | 'watch-live' }>): LogLevel {
  switch (event.type) {
    case 'request':
    case 'response':
    case 'watch-catching-up':
    case 'watch-waiting':
      return 'debug';
    case 'retry':
    case 'failover':
    case 'member-down':
    case 'partial-view':
    case 'cluster-down':
    case 'no-v2-api':
    case 'member-list-cut':
    case 'watch-resync':
      return 'warn';
    case 'watch-ended':
      return event.error === undefined ? 'info' : 'error';
    case 'leader-change':
      return event.leader === undefined ? 'warn' : 'info';
    case 'member-up':
    case 'cluster-up':
      return 'info';
  }
}

/** Which servers have the v2 API. */
const withV2 = '3.4 and 3.5 need --enable-v2=true; 3.6 and later have the v3 API alone';
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
      return `${event.attempt} of ${event.operation}, after ${event.endpoint}: ${event.reason}`;
    case 'failover':
      return `${event.operation}: ${event.from} -> ${event.to}`;
    case 'leader-change':
      return `${nameOf(event.previous)} -> ${nameOf(event.leader)} after ${ms(event.durationMs)}`;
    case 'member-down':
    case 'member-up':
      return `${nameOf(event.member)} after ${ms(event.durationMs)}`;
    case 'partial-view':
      return `${event.reachable} of ${event.members} members reached`;
    case 'cluster-down':
      return `none of ${event.members} members can be reached since ${event.since.toISOString()}`;
    case 'cluster-up':
      return `after ${ms(event.durationMs)}`;
    case 'no-v2-api':
      return event.version === undefined
        ? `${event.endpoint} (etcd ${withV2})`
        : `${event.endpoint}: etcd ${event.version} (${withV2})`;
    case 'member-list-cut':
      return `not used: ${event.ignored}`;
    case 'watch-live':
      return `${event.id} ${event.key} at ${event.endpoint}${fromIndex(event.index)}${event.durationMs === undefined ? '' : `, lost for ${ms(event.durationMs)}`}`;
    case 'watch-catching-up':
    case 'watch-waiting':
      return `${event.id} ${event.key} at ${event.endpoint}${fromIndex(event.index)}`;
    case 'watch-lost':
      return `${event.id} ${event.key} at ${event.endpoint}${fromIndex(event.index)}${event.durationMs === undefined ? '' : `, for ${ms(event.durationMs)}`}: ${event.reason}`;
    case 'watch-resync':
      return `${event.id} ${event.key} at ${event.endpoint}, lost ${lostRange(event.lost)}: ${event.reason}`;
    case 'watch-ended':
      return `${event.id} ${event.key} after ${ms(event.durationMs)}${event.error === undefined ? '' : `: ${event.error}`}`;
  }
}

/** Of a former store there is no end to tell. */
const lostRange = ({ from, to }: LostEvents): string => `${from} ${to === undefined ? 'and on' : `to ${to}`}`;

const fromIndex = (index: number | undefined): string => (index === undefined ? '' : ` from ${index}`);
