import { TestScheduler } from 'rxjs/testing';
import { heartbeat } from '../../lib/cluster/heartbeat.js';

/** Virtual time: one frame of a marble is one millisecond. */
const marbles = () => new TestScheduler((actual, expected) => expect(actual).toEqual(expected));

describe('heartbeat', () => {
  test('probes at once, then once in each period', () => {
    const scheduler = marbles();
    scheduler.run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const demand$ = hot('             --------------');
      const probe$ = cold('             -(r|)');
      const probes = ['^!', '           -----^!', '----------^!'];
      const expected = '                -r----r----r';
      const unsubscribed = '            ^------------!';
      const result$ = demand$.pipe(heartbeat({ period: 5, probe: () => probe$, scheduler }));
      expectObservable(result$, unsubscribed).toBe(expected);
      expectSubscriptions(probe$.subscriptions).toBe(probes.map((p) => p.trim()));
      expectSubscriptions(demand$.subscriptions).toBe(unsubscribed.trim());
    });
  });

  test('a demand probes at once, reaches the probe, and restarts the period', () => {
    const scheduler = marbles();
    const demands: (string | undefined)[] = [];
    scheduler.run(({ cold, hot, expectObservable, expectSubscriptions, flush }) => {
      const demand$ = hot('  ---d----------');
      const probe$ = cold('  -(r|)');
      const probes = ['      ^!', '---^!', '--------^!'];
      const expected = '     -r--r----r----';
      const unsubscribed = ' ^------------!';
      const result$ = demand$.pipe(
        heartbeat({
          period: 5,
          probe: (demand) => {
            demands.push(demand);
            return probe$;
          },
          scheduler,
        }),
      );
      expectObservable(result$, unsubscribed).toBe(expected);
      expectSubscriptions(probe$.subscriptions).toBe(probes.map((p) => p.trim()));
      flush();
      expect(demands).toEqual([undefined, 'd', undefined]);
    });
  });

  test('probes never overlap: what beats during a probe is dropped', () => {
    const scheduler = marbles();
    scheduler.run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const demand$ = hot('  --------------------');
      const probe$ = cold('  -------(r|)');
      const probes = ['      ^------!', '----------^------!'];
      const expected = '     -------r---------r-';
      const unsubscribed = ' ^------------------!';
      const result$ = demand$.pipe(heartbeat({ period: 5, probe: () => probe$, scheduler }));
      expectObservable(result$, unsubscribed).toBe(expected);
      expectSubscriptions(probe$.subscriptions).toBe(probes.map((p) => p.trim()));
    });
  });

  test('a demand during a probe starts none, and restarts the period all the same', () => {
    const scheduler = marbles();
    scheduler.run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const demand$ = hot('  ---d-----------');
      const probe$ = cold('  ----(r|)');
      const probes = ['      ^---!', '--------^---!'];
      const expected = '     ----r-------r';
      const unsubscribed = ' ^------------!';
      const result$ = demand$.pipe(heartbeat({ period: 5, probe: () => probe$, scheduler }));
      expectObservable(result$, unsubscribed).toBe(expected);
      expectSubscriptions(probe$.subscriptions).toBe(probes.map((p) => p.trim()));
    });
  });

  test("a probe's error is the result's, and ends the interval and the source's subscription", () => {
    const scheduler = marbles();
    scheduler.run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const demand$ = hot('  ---d------');
      const good$ = cold('   -(r|)');
      const bad$ = cold('-#');
      const expected = '     -r--#';
      const result$ = demand$.pipe(
        heartbeat({ period: 5, probe: (demand) => (demand === 'd' ? bad$ : good$), scheduler }),
      );
      expectObservable(result$).toBe(expected);
      expectSubscriptions(good$.subscriptions).toBe(['^!']);
      expectSubscriptions(bad$.subscriptions).toBe(['---^!']);
      expectSubscriptions(demand$.subscriptions).toBe('^---!');
    });
  });

  test("the source's end ends nothing: the interval goes on", () => {
    const scheduler = marbles();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const demand$ = cold(' --|');
      const probe$ = cold('  -(r|)');
      const expected = '     -r----r----r';
      const unsubscribed = ' ^------------!';
      const result$ = demand$.pipe(heartbeat({ period: 5, probe: () => probe$, scheduler }));
      expectObservable(result$, unsubscribed).toBe(expected);
      expectSubscriptions(probe$.subscriptions).toBe(['^!', '-----^!', '----------^!']);
      expectSubscriptions(demand$.subscriptions).toBe('^-!');
    });
  });

  test("the source's error is the result's and cancels the probe", () => {
    const scheduler = marbles();
    scheduler.run(({ cold, expectObservable, expectSubscriptions }) => {
      const demand$ = cold(' --#');
      const probe$ = cold('  ----(r|)');
      const result$ = demand$.pipe(heartbeat({ period: 5, probe: () => probe$, scheduler }));
      expectObservable(result$).toBe('--#');
      expectSubscriptions(probe$.subscriptions).toBe('^-!');
      expectSubscriptions(demand$.subscriptions).toBe('^-!');
    });
  });

  test('without a period it probes at the start and on demand, and ends with the source', () => {
    const scheduler = marbles();
    scheduler.run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const demand$ = hot('  ---------d--|');
      const probe$ = cold('  ----(r|)');
      const probes = ['      ^---!', '---------^---!'];
      const expected = '     ----r--------(r|)';
      const result$ = demand$.pipe(heartbeat({ period: false, probe: () => probe$, scheduler }));
      expectObservable(result$).toBe(expected);
      expectSubscriptions(probe$.subscriptions).toBe(probes.map((p) => p.trim()));
      expectSubscriptions(demand$.subscriptions).toBe('^-----------!');
    });
  });

  test('unsubscribing cancels the probe under way, the interval and the source', () => {
    const scheduler = marbles();
    scheduler.run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const demand$ = hot('  ------------');
      const probe$ = cold('  ----(r|)');
      const unsubscribed = ' ^------!';
      const result$ = demand$.pipe(heartbeat({ period: 5, probe: () => probe$, scheduler }));
      expectObservable(result$, unsubscribed).toBe('----r---');
      expectSubscriptions(probe$.subscriptions).toBe(['^---!', '-----^-!']);
      expectSubscriptions(demand$.subscriptions).toBe('^------!');
    });
  });

  test('each subscription has an interval of its own', () => {
    const scheduler = marbles();
    scheduler.run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const demand$ = hot(' ------------');
      const probe$ = cold(' (r|)');
      const result$ = demand$.pipe(heartbeat({ period: 5, probe: () => probe$, scheduler }));
      expectObservable(result$, '   ^------!').toBe('r----r--');
      expectObservable(result$, '---^------!').toBe('---r----r--');
      expectSubscriptions(demand$.subscriptions).toBe(['^------!', '---^------!']);
    });
  });
});
