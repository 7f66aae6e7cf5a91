import { defer, filter, map, scan, type Observable } from 'rxjs';
import { maxTimer } from '../../check.js';
import type { HttpPart } from '../../transport/http.js';
import { exchangeOf, learn, type V2Context } from '../context.js';
import { decodeKeys, type KeysBody } from '../decode.js';
import { keyPath } from '../key-path.js';
import type { ResponseInfo } from '../model.js';
import { withQuery } from '../params.js';
import { isSilentWatcher } from '../server-release.js';
import { MemberLeft } from './history-lost.js';
import { memberRequest } from './member-request.js';
import type { Target } from './target.js';

/** A poll tells that it is registered, that what it waited for begins to arrive, and (once) what that is. */
export type PollPart =
  | { readonly type: 'registered'; readonly info: ResponseInfo; readonly sentAt: number }
  | { readonly type: 'arriving' }
  | { readonly type: 'event'; readonly info: ResponseInfo; readonly body: KeysBody; readonly size: number };

interface Progress {
  readonly info: ResponseInfo | undefined;
  readonly text: string;
  readonly part: HttpPart;
}

/**
 * One long poll: etcd sends its headers at once and the event when it happens. Errors with a Fault for any answer but
 * an event, an empty one too.
 *
 * @param waitIndex the first index of interest; undefined: from now on
 */
export function poll$(
  context: V2Context,
  target: Target,
  endpoint: string,
  waitIndex: number | undefined,
): Observable<PollPart> {
  const { transport, settings, cluster } = context;
  const { key, recursive } = target;
  return defer(() => {
    const sentAt = performance.now();
    const request = memberRequest(context, {
      endpoint,
      path: withQuery(keyPath(key), { wait: true, recursive, waitIndex }),
      timeout: isSilentWatcher(cluster.version(endpoint)) ? maxTimer : settings.timeout,
      operation: 'watch',
    });
    return transport.parts$(request).pipe(
      scan((seen: Progress, part: HttpPart) => ({ ...progress(context, endpoint, seen, part), part }), {
        info: undefined,
        text: '',
        part: { type: 'end' },
      }),
      filter(({ part, info, text }) => part.type === 'end' || (info?.status === 200 && isNews(part, text))),
      map(({ part, info, text }): PollPart => {
        if (info === undefined) throw new MemberLeft('an answer ended before its head');
        if (part.type !== 'end')
          return part.type === 'head' ? { type: 'registered', info, sentAt } : { type: 'arriving' };
        const exchange = exchangeOf(context, endpoint);
        return {
          type: 'event',
          info,
          body: decodeKeys(`watch ${key}`, info.status, text, exchange),
          size: text.length,
        };
      }),
    );
  });
}

/** The index of the event that a poll was answered with; 0 if it has none. */
export const indexOf = ({ body }: { readonly body: KeysBody }): number => body.node?.modifiedIndex ?? 0;

/** The head, or the first piece of the body. */
const isNews = (part: HttpPart, text: string): boolean =>
  part.type === 'head' || (part.type === 'text' && part.text.length === text.length);

function progress(
  context: V2Context,
  endpoint: string,
  { info, text }: Progress,
  part: HttpPart,
): { info: ResponseInfo | undefined; text: string } {
  if (part.type === 'end') return { info, text };
  if (part.type === 'text') return { info, text: text + part.text };
  return { info: learn(context, endpoint, part.status, part.headers), text };
}
