import { NEVER, Observable } from 'rxjs';
import { Activity, type Ending } from '../../lib/cluster/activity.js';
import { ClientClosedError } from '../../lib/errors.js';

let running: number;
let begun: number;
let activity: Activity;
beforeEach(() => {
  running = begun = 0;
  activity = new Activity(
    new Observable((subscriber) => {
      running += 1;
      begun += 1;
      subscriber.add(NEVER.subscribe(subscriber));
      subscriber.add(() => (running -= 1));
    }),
  );
});

const ignore: Ending = { closed: () => undefined };

test('heartbeats run from the first who comes to the last who goes, once for all', () => {
  expect(running).toBe(0);
  const call = activity.call(ignore);
  const leave = [activity.enter(), () => call?.leave(), activity.enter()] as const;
  expect([running, begun]).toEqual([1, 1]);
  leave[0]();
  leave[1]();
  expect(running).toBe(1);
  leave[2]();
  expect(running).toBe(0);
});

test('they begin anew for whoever comes after a pause', () => {
  activity.enter()();
  activity.call(ignore)?.leave();
  expect([running, begun]).toEqual([0, 2]);
});

test('a call that leaves twice has left once: the others keep them running', () => {
  const stays = activity.enter();
  const call = activity.call(ignore);
  call?.leave();
  call?.leave();
  expect(running).toBe(1);
  stays();
  expect(running).toBe(0);
});

describe('when the client is closed', () => {
  test('the calls that are there hear of it, once; those that have left do not', () => {
    const heard: string[] = [];
    const call = (name: string) =>
      activity.call({ closed: (error) => heard.push(`${name} ${error.constructor.name}`) });
    call('first');
    call('gone')?.leave();
    call('last');
    activity.close();
    expect(heard).toEqual(['first ClientClosedError', 'last ClientClosedError']);
  });

  test('one that comes later hears of it at once, and starts nothing', () => {
    activity.close();
    const heard: unknown[] = [];
    expect(activity.call({ closed: (error) => heard.push(error) })).toBeUndefined();
    expect(heard).toEqual([expect.any(ClientClosedError)]);
    expect(begun).toBe(0);
  });
});
