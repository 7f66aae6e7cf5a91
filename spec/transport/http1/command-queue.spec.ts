import { CommandQueue } from '../../../lib/transport/http1/command-queue.browser.js';
import type { Stage, Wire } from '../../../lib/transport/http1/wire.js';

const here = 'http://a:2379';
let polls: number;
let queue: CommandQueue;
/** What the browser has been given, by the name of its operation. */
let given: string[];

interface FakeWire extends Wire {
  aborted: boolean;
  isDue: boolean;
}

function wire(operation: string, more: { pool?: 'command' | 'watch'; endpoint?: string } = {}): FakeWire {
  const request = { operation, endpoint: here, pool: 'command', ...more };
  const made = {
    request,
    sent: undefined as false | undefined,
    onAbort: undefined,
    aborted: false,
    isDue: false,
  };
  const reached = (stage: Stage): void => {
    made.sent = stage === 'waiting' ? false : undefined;
  };
  return Object.assign(made, { reached, mayBeWritten: () => !made.isDue }) as unknown as FakeWire;
}
const send = (...args: Parameters<typeof wire>): FakeWire => {
  const sent = wire(...args);
  queue.send(sent);
  return sent;
};
const sendMany = (count: number, ...more: [{ endpoint?: string }?]): FakeWire[] =>
  Array.from({ length: count }, (_, i) => send(String(i), ...more));

beforeEach(() => {
  polls = 0;
  given = [];
  queue = new CommandQueue(
    (sent) => {
      given.push(sent.request.operation);
      sent.onAbort = () => ((sent as FakeWire).aborted = true);
    },
    () => polls,
  );
});

test.each([
  [0, 5],
  [1, 4],
  [4, 1],
  [5, 1],
  [9, 1],
])(
  'beside %i polls %i commands are with the browser, the rest is held back and provably unsent',
  (n, room) => {
    polls = n;
    const wires = sendMany(7);
    expect(given).toHaveLength(room);
    expect(wires.map(({ sent }) => sent)).toEqual(wires.map((_, i) => (i < room ? undefined : false)));
  },
);

test('who came first goes first, each when one before it is over', () => {
  polls = 4;
  const wires = sendMany(3);
  queue.ended(wires[0]!);
  expect(given).toEqual(['0', '1']);
  queue.ended(wires[1]!);
  expect(given).toEqual(['0', '1', '2']);
});

test('one that is over twice makes room once', () => {
  polls = 4;
  const [first] = sendMany(4);
  first!.onAbort?.();
  queue.ended(first!);
  queue.ended(first!);
  expect(given).toEqual(['0', '1']);
  expect(first!.aborted).toBe(true);
});

test('one that is given up while it is held back is never sent', () => {
  polls = 4;
  const wires = sendMany(3);
  wires[1]!.onAbort?.();
  queue.ended(wires[0]!);
  expect(given).toEqual(['0', '2']);
});

test('one that is due by the time that its turn comes is never sent', () => {
  polls = 4;
  const wires = sendMany(3);
  wires[1]!.isDue = true;
  queue.ended(wires[0]!);
  expect(given).toEqual(['0', '2']);
});

test('when polls end elsewhere there is room at once', () => {
  polls = 4;
  sendMany(3);
  polls = 3;
  queue.next(here);
  expect(given).toEqual(['0', '1']);
});

test('probes and polls wait for nothing, nor does anything over https, which may be HTTP/2', () => {
  polls = 6;
  sendMany(2);
  send('probe', { pool: 'watch' });
  for (const sent of sendMany(3, { endpoint: 'https://a:2379' })) expect(sent.sent).toBeUndefined();
  expect(given).toEqual(['0', 'probe', '0', '1', '2']);
});

test('each endpoint has its own line', () => {
  polls = 4;
  sendMany(2);
  sendMany(2, { endpoint: 'http://b:2379' });
  expect(given).toEqual(['0', '0']);
});

test('where an endpoint is none any more what waits keeps its turn, and behind that nothing is left of it', () => {
  polls = 4;
  const wires = sendMany(2);
  queue.forget(here);
  queue.ended(wires[0]!);
  expect(given).toEqual(['0', '1']);
  queue.ended(wires[1]!);
  queue.forget(here);
  sendMany(2);
  expect(given).toEqual(['0', '1', '0']);
});
