import { filter, Observable, tap } from 'rxjs';
import { maxTimer } from '../../check.js';
import type { HttpPart } from '../../transport/http.js';
import { answerOf, learn } from '../context.js';
import { decodeEvent } from '../wire/decode.js';
import { keyPath } from '../wire/key-path.js';
import type { ResponseInfo } from '../model/model.js';
import { withQuery } from '../wire/params.js';
import { MemberLeft } from '../../watch/member-left.js';
import { mayOverlook } from '../old/server-release.js';
import { BodyPause } from './body-pause.js';
import { bothWays$ } from './both-ways.js';
import type { LegSite } from './leg-site.js';
import { memberRequest } from './member-request.js';
import type { PollPart } from './poll-part.js';

/**
 * One long poll: etcd sends its headers at once and the event when it happens. Errors with a Fault for any answer but
 * an event, an empty one too.
 *
 * @param waitIndex the first index of interest; undefined: from now on
 */
export function poll$(site: LegSite, waitIndex: number | undefined): Observable<PollPart> {
  const { context, target, endpoint } = site;
  const ask$ = (recursive: boolean): Observable<PollPart> => request$(site, waitIndex, recursive);
  // Only history is asked both ways.
  return waitIndex !== undefined && target.recursive && mayOverlook(context.cluster.version(endpoint))
    ? bothWays$(ask$, context.headers.precedeEvents(endpoint))
    : ask$(target.recursive);
}

function request$(
  { context, target, endpoint }: LegSite,
  waitIndex: number | undefined,
  recursive: boolean,
): Observable<PollPart> {
  const { transport, settings, cluster, headers } = context;
  const { key } = target;
  return new Observable((subscriber) => {
    const sentAt = performance.now();
    const request = memberRequest(context, {
      endpoint,
      path: withQuery(keyPath(key), { wait: true, recursive, waitIndex }),
      // Headers that come with the event come when they come.
      timeout: headers.areDueAtOnce(endpoint) ? settings.timeout : maxTimer,
      operation: 'watch',
    });
    let info: ResponseInfo | undefined;
    let text = '';
    let pause: BodyPause | undefined;
    const read = (part: HttpPart): PollPart | undefined => {
      if (part.type === 'head') {
        info = learn(context, endpoint, part.status, part.headers);
        return info.status === 200 ? { type: 'registered', info, sentAt } : undefined;
      }
      if (part.type === 'text') {
        text += part.text;
        cluster.heard(endpoint);
        const isFirst = pause === undefined;
        pause ??= new BodyPause(subscriber, settings.timeout);
        pause.goesOn();
        return isFirst && info?.status === 200 ? { type: 'arriving', pause } : undefined;
      }
      pause?.ends();
      if (info === undefined) throw new MemberLeft('an answer ended before its head');
      const answer = { status: info.status, body: text };
      const body = decodeEvent(answerOf(context, `watch ${key}`, endpoint, answer), key);
      return { type: 'event', info, body, size: text.length };
    };
    const parts$ = transport.parts$(request, read).pipe(
      filter((part) => part !== undefined),
      tap({
        error: () => {
          headers.mayComeLate(endpoint);
        },
      }),
    );
    return parts$.subscribe(subscriber);
  });
}
