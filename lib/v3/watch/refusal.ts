import { MemberLeft } from '../../watch/member-left.js';
import { grpcFault } from '../wire/grpc-error.js';
import type { LegSite } from './leg-site.js';
import type { WatchMessage } from './watch-stream.js';

/** gRPC's codes by the names that Go prints, from 0 on. */
const codeNames =
  'OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable DataLoss Unauthenticated'.split(
    ' ',
  );
/** What the store says by itself, without a code, is about what was asked. */
const invalidArgument = 3;

/** What it means that a member has refused a watch, or ended it: in a stream etcd gives its reason as text alone. */
export function refusal(
  { context, endpoint, target }: LegSite,
  { cancel_reason: reason }: WatchMessage,
): Error {
  if (reason === '') return new MemberLeft('its member has ended the watch');
  const [, name = ''] = /^rpc error: code = (\w+) /.exec(reason) ?? [];
  const code = codeNames.indexOf(name);
  const { secrets } = context.transport;
  const answer = { operation: `watch ${target.key}`, status: 200, body: '', endpoint, secrets };
  return grpcFault(answer, { code: code > 0 ? code : invalidArgument, message: reason });
}
