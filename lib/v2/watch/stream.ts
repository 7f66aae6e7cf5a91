import { Observable } from 'rxjs';
import type { HttpPart } from '../../transport/http.js';
import { unfinishedLine } from '../../transport/http1/unfinished-line.js';
import { MemberLeft } from '../../watch/member-left.js';
import { answerOf, learn } from '../context.js';
import { decodeEvent, type KeysBody } from '../wire/decode.js';
import { keyPath } from '../wire/key-path.js';
import type { ResponseInfo } from '../model/model.js';
import { withQuery } from '../wire/params.js';
import { Lines } from '../../transport/lines.js';
import { BodyPause } from './body-pause.js';
import type { LegSite } from './leg-site.js';
import { memberRequest } from './member-request.js';

/** A stream tells that it is registered, then each event. */
export type StreamPart = { readonly type: 'registered'; readonly info: ResponseInfo } | StreamEvent;

/** An event of a stream; the headers are those of the stream. */
export interface StreamEvent {
  readonly type: 'event';
  readonly info: ResponseInfo;
  readonly body: KeysBody;
}

/**
 * etcd's live stream, from now on, in what comes at once: every event after the index of its headers, one JSON text a
 * line, until too many pile up at the server; then it is silent for ever. Errors with a Fault for any answer but a
 * stream, and when it ends.
 *
 * @param waitIndex begins later: at an index that the store has yet to reach
 */
export function stream$(
  { context, target, endpoint }: LegSite,
  waitIndex?: number,
): Observable<readonly StreamPart[]> {
  const { transport, settings } = context;
  const { key, recursive } = target;
  return new Observable((subscriber) => {
    const request = memberRequest(context, {
      endpoint,
      path: withQuery(keyPath(key), { wait: true, stream: true, recursive, waitIndex }),
      timeout: settings.timeout,
      operation: 'watch',
      // It is endless: each line of it has its bound.
      count: unfinishedLine,
    });
    const answer = answerOf(context, `watch ${key}`, endpoint, { status: 200, body: '' });
    let info: ResponseInfo = { endpoint, status: 0 };
    const lines = new Lines();
    let refusal = '';
    let pause: BodyPause | undefined;
    const read = (part: HttpPart): readonly StreamPart[] => {
      if (part.type === 'end') {
        if (info.status === 200) throw new MemberLeft('its stream ended');
        decodeEvent({ ...answer, status: info.status, body: refusal }, key);
        throw new MemberLeft('it answered a watch with a single event');
      }
      if (part.type === 'head') {
        info = learn(context, endpoint, part.status, part.headers);
        return part.status === 200 ? [{ type: 'registered', info }] : [];
      }
      if (info.status !== 200) {
        refusal += part.text;
        return [];
      }
      const ended = lines.add(part.text);
      if (lines.hasBegun) {
        pause ??= new BodyPause(subscriber, settings.timeout);
        pause.goesOn();
      } else pause?.ends();
      return ended
        .filter((line) => line !== '')
        .map((line) => ({ type: 'event', info, body: decodeEvent({ ...answer, body: line }, key) }));
    };
    return transport.parts$(request, read).subscribe(subscriber);
  });
}
