import { NEVER, Observable, repeat, type Subscription } from 'rxjs';
import { ChannelTabs } from '../../lib/transport/http1/other-tabs.browser.js';
import type { WatchEvent } from '../../lib/v2/model/model.js';
import type { LegItem } from '../../lib/watch/leg-item.js';
import { ConnectionSlots } from '../../lib/watch/connection-slots.js';
import { FakeChannel } from '../support/scripted/fake-channel.js';
import { here } from '../support/scripted/fake-member.js';

/** How many polls are under way, in all tabs, and how many were at most. */
let running: number;
let most: number;

/** A tab with watches that poll for ever; each leg that ends is followed by the next. */
class Tab {
  readonly tabs = new ChannelTabs();
  readonly channel: FakeChannel;
  readonly #slots = new ConnectionSlots(4, this.tabs);
  readonly #watches: Subscription[] = [];
  /** How often each of its watches has had a turn. */
  readonly slots: number[] = [];

  /** @param asksFirst it has heard the others before it watches, as a client does that probes before */
  constructor(watches = 1, asksFirst = true) {
    this.tabs.join(here);
    this.channel = [...FakeChannel.open].at(-1)!;
    if (asksFirst) jest.advanceTimersByTime(20);
    for (let i = 0; i < watches; i += 1) this.watch();
  }

  watch(): void {
    const i = this.slots.push(0) - 1;
    const poll$ = new Observable<LegItem<WatchEvent>>((subscriber) => {
      this.slots[i]! += 1;
      running += 1;
      most = Math.max(most, running);
      subscriber.add(() => (running -= 1));
      return NEVER.subscribe(subscriber);
    });
    this.#watches.push(this.#slots.take$(here, poll$).pipe(repeat()).subscribe());
  }

  unsubscribe(): void {
    for (const watch of this.#watches.splice(0)) watch.unsubscribe();
  }

  /** Closed or crashed: its polls end, and nobody is told. */
  vanish(): void {
    FakeChannel.open.delete(this.channel);
    this.unsubscribe();
  }
}
const all: Tab[] = [];
const openTab = (watches?: number, asksFirst?: boolean): Tab => {
  const tab = new Tab(watches, asksFirst);
  all.push(tab);
  return tab;
};
const openTabs = (count: number, apart = 20): Tab[] =>
  Array.from({ length: count }, () => {
    const tab = openTab();
    jest.advanceTimersByTime(apart);
    return tab;
  });

const original = globalThis.BroadcastChannel;
beforeEach(() => {
  jest.useFakeTimers();
  globalThis.BroadcastChannel = FakeChannel as unknown as typeof BroadcastChannel;
  FakeChannel.open.clear();
  FakeChannel.said = 0;
  all.length = 0;
  running = most = 0;
});
afterEach(() => {
  for (const tab of all) tab.unsubscribe();
  for (const { tabs } of all) tabs.close();
  jest.runOnlyPendingTimers();
  jest.useRealTimers();
  globalThis.BroadcastChannel = original;
});

test('four polls in all tabs together; the next waits', () => {
  const tabs = openTabs(5);
  expect(tabs.map(({ slots }) => slots)).toEqual([[1], [1], [1], [1], [0]]);
  expect(most).toBe(4);
});

test('what stays as it is nobody is told', () => {
  openTabs(4);
  const said = FakeChannel.said;
  jest.advanceTimersByTime(600_000);
  expect(FakeChannel.said).toBe(said);
});

test('while some wait, little is said', () => {
  openTabs(8);
  const said = FakeChannel.said;
  jest.advanceTimersByTime(60_000);
  // In each second four may ask at once, and the others answer each; one makes room, one takes it.
  expect(FakeChannel.said - said).toBeLessThan(60 * 40);
});

test('all come round, again and again, and never more than four at a time', () => {
  const tabs = openTabs(8);
  jest.advanceTimersByTime(30_000);
  for (const { slots } of tabs) expect(slots[0]).toBeGreaterThanOrEqual(3);
  expect(most).toBe(4);
});

test('two clients in one tab take turns with each other, as do watches of one with those of another tab', () => {
  const both = [openTab(3), openTab(6)];
  jest.advanceTimersByTime(20_000);
  for (const slots of both.flatMap((tab) => tab.slots)) expect(slots).toBeGreaterThanOrEqual(1);
  expect(running).toBe(4);
});

test('those that begin before they have heard of each other are soon no more than four, and those of the first', () => {
  const tabs = Array.from({ length: 7 }, () => openTab(1, false));
  expect(running).toBe(7);
  jest.advanceTimersByTime(100);
  expect(running).toBe(4);
  jest.advanceTimersByTime(20_000);
  expect(running).toBe(4);
  for (const { slots } of tabs) expect(slots[0]).toBeGreaterThanOrEqual(2);
});

test('a tab that takes leave makes room at once', () => {
  const tabs = openTabs(5);
  tabs[1]!.unsubscribe();
  jest.advanceTimersByTime(20);
  expect(tabs[4]!.slots).toEqual([1]);
});

test('so does a client that is closed', () => {
  const tabs = openTabs(5);
  tabs[1]!.tabs.close();
  tabs[1]!.unsubscribe();
  jest.advanceTimersByTime(20);
  expect(tabs[4]!.slots).toEqual([1]);
});

test('so does one for which the endpoint is none any more; others are as they were, and it may come back', () => {
  const tabs = openTabs(5);
  tabs[1]!.unsubscribe();
  tabs[1]!.tabs.leave(here);
  jest.advanceTimersByTime(20);
  expect(tabs[4]!.slots).toEqual([1]);
  const channels = FakeChannel.open.size;
  tabs[1]!.tabs.join(here);
  jest.advanceTimersByTime(20);
  expect(tabs[1]!.tabs.polls(here)).toBe(4);
  expect(FakeChannel.open.size).toBe(channels);
});

test('tabs that vanish without a word, polling or waiting, are missed within three seconds', () => {
  const tabs = openTabs(8);
  for (const tab of [...tabs.slice(0, 4), tabs[4]!]) tab.vanish();
  expect(running).toBe(0);
  jest.advanceTimersByTime(3_000);
  expect(running).toBe(3);
  expect(tabs[7]!.tabs.polls(here)).toBe(3);
});

test('a frozen tab that thaws has its turns again', () => {
  const tabs = openTabs(5);
  const frozen = tabs[0]!.channel;
  const { onmessage } = frozen;
  const heard: { readonly data: unknown }[] = [];
  frozen.onmessage = (event) => heard.push(event);
  jest.advanceTimersByTime(5_000);
  expect(tabs[4]!.tabs.polls(here)).toBe(4);
  expect(running).toBe(5);
  frozen.onmessage = onmessage;
  for (const event of heard) onmessage!(event);
  jest.advanceTimersByTime(5_000);
  expect(running).toBe(4);
});

test.each<[string, unknown]>([
  ['there is none', undefined],
  [
    'the page may not have one',
    function refuse() {
      throw new Error('SecurityError');
    },
  ],
])('without a channel (%s) a tab counts its own', (_, channel) => {
  globalThis.BroadcastChannel = channel as typeof BroadcastChannel;
  const tab = openTab(6);
  jest.advanceTimersByTime(10_000);
  expect(running).toBe(4);
  expect(tab.tabs.polls(here)).toBe(4);
  expect(Math.min(...tab.slots)).toBeGreaterThanOrEqual(1);
});

test('whatever else a page says on the channel does no harm', () => {
  openTab();
  const page = new FakeChannel('rxetcd 1');
  for (const word of [
    null,
    'x',
    7,
    {},
    { slots: 7 },
    { slots: [null] },
    { endpoint: here, slots: [null, {}] },
  ])
    page.postMessage(word);
  jest.advanceTimersByTime(20);
  expect(running).toBe(1);
  page.close();
});

test('a client that watches nothing opens nothing', () => {
  const tabs = new ChannelTabs();
  tabs.close();
  expect(FakeChannel.open.size).toBe(0);
});
