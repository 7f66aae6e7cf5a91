import { defer, EMPTY, filter, map, merge, mergeMap, type Subscription } from 'rxjs';
import { check, checkOptions } from '../check.js';
import { LostWatches } from './lost-watches.js';
import { oneLine } from '../util/one-line.js';
import type { Lost } from '../errors.js';
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
  const { level = levelOf(event), more } = lost.saw(event);
  const text = `${type} ${wordsOf(event)}`;
  if (more === undefined) return [{ at, level, text }];
  return [
    { at, level: 'debug', text },
    { at, level, text: `${type} ${more}` },
  ];
}

/** Of a server that lacks the client's API. @param which releases have it */
const lacking =
  (which: string) =>
  ({ endpoint, version }: EventOf<'no-v2-api' | 'no-v3-api'>): string =>
    version === undefined ? `${endpoint} (etcd ${which})` : `${endpoint}: etcd ${version} (${which})`;
const ms = (duration: number): string => `${duration.toFixed(0)} ms`;
const nameOf = (member: { id: string; name: string } | undefined): string =>
  member === undefined ? 'none' : member.name || member.id;

type EventOf<Type> = Extract<ClientEvent, { readonly type: Type }>;

/** How much an event matters, where lost watches do not say, and what is told of it. */
type Telling<Type> = readonly [
  level: LogLevel | ((event: EventOf<Type>) => LogLevel),
  words: (event: EventOf<Type>) => string,
];

interface WatchPlace {
  readonly id: number;
  readonly key: string;
  readonly endpoint: string;
  readonly index?: number;
}

const placeOf = ({ id, key, endpoint, index }: WatchPlace): string =>
  `${id} ${key} at ${endpoint}${index === undefined ? '' : ` from ${index}`}`;
const pathOf = ({ operation, method, endpoint, path }: EventOf<'request' | 'response'>): string =>
  `${operation} ${method} ${endpoint}${path}`;

const tellings: { readonly [Type in ClientEvent['type']]: Telling<Type> } = {
  request: ['debug', pathOf],
  response: [
    'debug',
    (event) => {
      const result = [event.status, event.error].filter((x) => x !== undefined).join(' ');
      return `${pathOf(event)}: ${result} in ${ms(event.durationMs)}`;
    },
  ],
  retry: [
    'warn',
    ({ attempt, operation, endpoint, reason }) => `${attempt} of ${operation}, after ${endpoint}: ${reason}`,
  ],
  failover: ['warn', ({ operation, from, to }) => `${operation}: ${from} -> ${to}`],
  'leader-change': [
    ({ leader }) => (leader === undefined ? 'warn' : 'info'),
    ({ previous, leader, durationMs }) => `${nameOf(previous)} -> ${nameOf(leader)} after ${ms(durationMs)}`,
  ],
  'member-down': ['warn', ({ member, durationMs }) => `${nameOf(member)} after ${ms(durationMs)}`],
  'member-up': ['info', ({ member, durationMs }) => `${nameOf(member)} after ${ms(durationMs)}`],
  'partial-view': ['warn', ({ reachable, members }) => `${reachable} of ${members} members reached`],
  'cluster-down': [
    'warn',
    ({ members, since }) => `none of ${members} members can be reached since ${since.toISOString()}`,
  ],
  'cluster-up': ['info', ({ durationMs }) => `after ${ms(durationMs)}`],
  'no-v2-api': [
    'warn',
    lacking('rxetcd/v3 has the client for it; 3.4 and 3.5 have v2 with --enable-v2=true'),
  ],
  'no-v3-api': ['warn', lacking('3.4 and later have it, unless started with --enable-grpc-gateway=false')],
  hint: ['warn', ({ operation, hint }) => `${operation}: ${hint}`],
  'member-list-cut': ['warn', ({ ignored }) => `not used: ${ignored}`],
  'watch-live': [
    'debug',
    (event) => placeOf(event) + (event.durationMs === undefined ? '' : `, lost for ${ms(event.durationMs)}`),
  ],
  'watch-catching-up': ['debug', placeOf],
  'watch-waiting': ['debug', placeOf],
  'watch-lost': [
    'debug',
    (event) =>
      `${placeOf(event)}${event.durationMs === undefined ? '' : `, for ${ms(event.durationMs)}`}: ${event.reason}`,
  ],
  'watch-resync': [
    'warn',
    ({ id, key, endpoint, lost, reason }) =>
      `${id} ${key} at ${endpoint}, lost ${lostRange(lost)}: ${reason}`,
  ],
  'watch-ended': [
    ({ error }) => (error === undefined ? 'info' : 'error'),
    ({ id, key, durationMs, error }) =>
      `${id} ${key} after ${ms(durationMs)}${error === undefined ? '' : `: ${error}`}`,
  ],
};

const tellingOf = ({ type }: ClientEvent): Telling<never> => tellings[type];

function levelOf(event: ClientEvent): LogLevel {
  const [level] = tellingOf(event);
  return typeof level === 'string' ? level : level(event as never);
}

const wordsOf = (event: ClientEvent): string => tellingOf(event)[1](event as never);

/** Of a former store there is no end to tell. */
const lostRange = ({ from, to }: Lost): string => `${from} ${to === undefined ? 'and on' : `to ${to}`}`;
