import type { KeysBody } from '../wire/decode.js';
import type { ResponseInfo } from '../model/model.js';
import type { BodyPause } from './body-pause.js';

/** A poll tells that it is registered, that what it waited for begins to arrive, and (once) what that is. */
export type PollPart =
  | { readonly type: 'registered'; readonly info: ResponseInfo; readonly sentAt: number }
  | { readonly type: 'arriving'; readonly pause: Pick<BodyPause, 'isLong'> }
  | { readonly type: 'event'; readonly info: ResponseInfo; readonly body: KeysBody; readonly size: number };

/** An answer to a poll: between where it asked from and its event there is no other match. */
export type Found = Extract<PollPart, { type: 'event' }>;

export const isFound = (part: PollPart): part is Found => part.type === 'event';

/** The index of the event that a poll was answered with; 0 if it has none. */
export const indexOf = ({ body }: { readonly body: KeysBody }): number => body.node?.modifiedIndex ?? 0;
