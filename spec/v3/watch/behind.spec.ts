import { defer, firstValueFrom, map, of, throwError, type Observable } from 'rxjs';
import type { HttpRequest, HttpResponse } from '../../../lib/transport/http.js';
import { TransportError } from '../../../lib/transport/transport-error.js';
import { HistoryLost } from '../../../lib/watch/history-lost.js';
import { SeenRevision } from '../../../lib/v3/seen-revision.js';
import { behind$ } from '../../../lib/v3/watch/behind.js';
import type { LegSite } from '../../../lib/v3/watch/leg-site.js';
import { WatchPosition } from '../../../lib/v3/watch/watch-position.js';
import { header } from '../wire/answers.js';

/** Each try: who was asked, with which token. */
let asked: string[];
/** What comes of each try: a revision, etcd's refusal, or nothing in time. */
let answers: (number | { error: string; message: string; code: number } | undefined)[];
/** Other members, as they are named. */
let others: string[];

function siteAt(next: number): LegSite {
  const position = new WatchPosition(undefined, new SeenRevision());
  position.moveTo({ type: 'events', events: [], next });
  let tokens = 0;
  const read$ = <T>(request: HttpRequest, read: (response: HttpResponse) => T): Observable<T> =>
    defer(() => {
      asked.push(`${request.endpoint} ${request.authorization}`);
      const answer = answers.shift();
      if (answer === undefined) return throwError(() => new TransportError('timeout', 'late', true));
      const [status, body] =
        typeof answer === 'number' ? [200, { header: { ...header, revision: `${answer}` } }] : [400, answer];
      return of({ status, body: JSON.stringify(body) } as HttpResponse);
    }).pipe(map(read));
  return {
    endpoint: 'a',
    position,
    target: { key: 'k', bounds: { key: Buffer.from('k') } },
    context: {
      settings: { retry: { initialDelay: 1, maxDelay: 1 }, timeout: 1_000 },
      transport: { read$ },
      cluster: { readEndpoint: () => others.shift(), version: () => '3.5.16', sawTerm: () => undefined },
      seen: new SeenRevision(),
      token: () => `token-${(tokens += 1)}`,
    },
  } as unknown as LegSite;
}

beforeEach(() => {
  asked = [];
  others = ['b', 'c'];
});

test('a member that has caught up lagged', async () => {
  answers = [10];
  await firstValueFrom(behind$(siteAt(11)));
  expect(asked).toEqual(['a token-1']);
});

test('what is below at two members is a store that was put back', async () => {
  answers = [9, 9];
  await expect(firstValueFrom(behind$(siteAt(11)))).rejects.toBeInstanceOf(HistoryLost);
  expect(asked).toEqual(['a token-1', 'b token-2']);
});

test('each try bears the token of its time', async () => {
  answers = [undefined, undefined, 10];
  await firstValueFrom(behind$(siteAt(11)));
  expect(asked).toEqual(['a token-1', 'a token-2', 'a token-3']);
});

test('another member that does not answer is not asked for ever', async () => {
  answers = [9, undefined, 10];
  await firstValueFrom(behind$(siteAt(11)));
  expect(asked.map((one) => one.slice(0, 1))).toEqual(['a', 'b', 'c']);
});

test('what is refused for good is not asked again', async () => {
  const denied = 'etcdserver: permission denied';
  answers = [{ error: denied, message: denied, code: 7 }];
  await expect(firstValueFrom(behind$(siteAt(11)))).rejects.toMatchObject({
    message: expect.stringContaining('permission denied') as string,
  });
  expect(asked).toHaveLength(1);
});
