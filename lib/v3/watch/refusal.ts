import { MemberLeft } from '../../watch/member-left.js';
import { errorInText, grpcFault } from '../wire/grpc-error.js';
import type { LegSite } from './leg-site.js';
import type { WatchMessage } from './watch-stream.js';

/** What it means that a member has refused a watch, or ended it: in a stream etcd gives its reason as text alone. */
export function refusal(
  { context, endpoint, target }: LegSite,
  { cancel_reason: reason }: WatchMessage,
): Error {
  if (reason === '') return new MemberLeft('its member has ended the watch');
  const { secrets } = context.transport;
  const answer = { operation: `watch ${target.key}`, status: 200, body: '', endpoint, secrets };
  return grpcFault(answer, errorInText(reason));
}
