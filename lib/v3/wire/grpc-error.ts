import { Fault, type FaultConfig } from '../../cluster/fault.js';
import { authenticationHint, fault, told, type ServerAnswer } from '../../cluster/server-answer.js';
import {
  AuthenticationError,
  EtcdApiError,
  UnsupportedByServerError,
  type ApiErrorAnswer,
  type EtcdErrorDetails,
} from '../../errors.js';
import {
  CompactedError,
  FutureRevisionError,
  LeaseNotFoundError,
  NoSpaceError,
  NotSupportedByLearnerError,
  PermissionDeniedError,
} from '../errors.js';

/*
 * etcd's own errors on the v3 API: one of gRPC's codes and a text. Neither the code nor the HTTP status tells errors apart (3
 * is six things, 11 is three, locks answer all with 2): the text does.
 */

/** An error as etcd gives it. */
export interface GrpcError {
  readonly code: number;
  readonly message: string;
}

/** gRPC's codes, as far as they are told apart here. */
const Code = {
  Cancelled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  PermissionDenied: 7,
  Aborted: 10,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
} as const;

/** Whether that is one of gRPC's codes of errors. */
export const isGrpcCode = (code: unknown): code is number =>
  Number.isInteger(code) && (code as number) >= Code.Cancelled && (code as number) <= Code.Unauthenticated;

/** The codes by the names that Go prints, from 0 on. */
const codeNames =
  'OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable DataLoss Unauthenticated'.split(
    ' ',
  );

/** An error that etcd gives as text alone, in a stream. What the store says by itself, without a code, is about what was asked. */
export function errorInText(message: string): GrpcError {
  const [, name = ''] = /^rpc error: code = (\w+) /.exec(message) ?? [];
  const code = codeNames.indexOf(name);
  return { code: code > 0 ? code : Code.InvalidArgument, message };
}

type ErrorClass = new (operation: string, answer: ApiErrorAnswer, details?: EtcdErrorDetails) => EtcdApiError;

/** What a text stands for. */
interface Meaning {
  readonly type?: ErrorClass;
  /** What to do about it. */
  readonly hint?: string | ((answer: ServerAnswer) => string | undefined);
  /** Refused by a learner alone: another member may do it. */
  readonly learner?: true;
  /** Another token may do. */
  readonly credentials?: true;
}

/**
 * The texts that are known, without what goes before them. All are refusals: nothing was executed. Those of authentication
 * come before anything is proposed, on all releases.
 */
const meanings: ReadonlyMap<string, Meaning> = new Map<string, Meaning>([
  ['authentication failed, invalid user ID or password', { type: AuthenticationError }],
  ['invalid auth token', { type: AuthenticationError, credentials: true }],
  ['revision of auth store is old', { type: AuthenticationError, credentials: true }],
  [
    'user name is empty',
    {
      type: AuthenticationError,
      hint: ({ anonymous }) => (anonymous === true ? authenticationHint(true) : undefined),
      credentials: true,
    },
  ],
  ['permission denied', { type: PermissionDeniedError }],
  ['mvcc: required revision has been compacted', { type: CompactedError }],
  ['mvcc: required revision is a future revision', { type: FutureRevisionError }],
  ['requested lease not found', { type: LeaseNotFoundError }],
  [
    'mvcc: database space exceeded',
    {
      type: NoSpaceError,
      hint: 'compact, defragment each member and disarm the alarm, or raise --quota-backend-bytes',
    },
  ],
  ['rpc not supported for learner', { type: NotSupportedByLearnerError, learner: true }],
  ['too many operations in txn request', { hint: "the server's limit is its flag --max-txn-ops" }],
  ['request is too large', { hint: "the server's limit is its flag --max-request-bytes" }],
  ['election: no leader', {}],
  ['election: not leader', {}],
  ['duplicate key given in txn request', { hint: 'a transaction may write each key once' }],
]);

/** What goes before the texts: the name of the part that speaks and, where one error tells of another, that one's code. */
const prefix = /^(rpc error: code = \w+ desc = )?(etcdserver|auth): /;

/** The gateway takes no request over this; what it says has no such prefix. */
const tooLarge = 'grpc: received message larger than max';

/** No leader stands behind the answer, or none that got its work done in time. */
const leaderless =
  /^(etcdserver: (no leader|leader changed|request timed out|unhealthy cluster)|context deadline exceeded)/;

/** Whether the user was found to lack the right. */
export const deniesRight = (error: unknown): boolean =>
  error instanceof Fault && error.config.errorCode === Code.PermissionDenied;

/** Whether that text refuses the token that was sent, or the want of one. */
export const refusesCredentials = (message: string): boolean =>
  meanings.get(message.replace(prefix, ''))?.credentials === true;

/** What an error of etcd means. */
export function grpcFault(answer: ServerAnswer, { code, message }: GrpcError): Fault {
  const { operation, status } = answer;
  const text = told(message, answer);
  const meaning = message.startsWith(tooLarge)
    ? meanings.get('request is too large')
    : meanings.get(message.replace(prefix, ''));
  const { type: ErrorType = EtcdApiError, hint } = meaning ?? {};
  const word: ApiErrorAnswer = { errorCode: code, message: text, reason: '', index: 0, status };
  return fault(answer, {
    summary: `${status} ${text}`,
    errorCode: code,
    credentialsRefused: meaning?.credentials,
    fromLearner: meaning?.learner,
    toError: (details) =>
      code === Code.Unimplemented
        ? new UnsupportedByServerError(`${operation}: the server has no such call: ${text}`, details)
        : new ErrorType(operation, word, {
            ...details,
            hint: typeof hint === 'function' ? hint(answer) : hint,
          }),
    ...(meaning === undefined ? judged(code, message, status) : { executed: meaning.learner && 'no' }),
  });
}

/** What is known of a request that was answered with another text. */
function judged(code: number, message: string, status: number): Partial<FaultConfig> {
  switch (code) {
    case Code.Unimplemented:
      return {};
    case Code.DeadlineExceeded:
    case Code.Unavailable:
    case Code.Cancelled: {
      const isLeaderless = leaderless.test(message);
      // Else the gateway's word, which does not reach the server behind it, or that of a server that ends.
      return { executed: 'unknown', leaderless: isLeaderless, isStrange: !isLeaderless };
    }
    case Code.Unknown:
    case Code.Aborted:
    case Code.Internal:
    case Code.DataLoss:
      return { executed: 'unknown' };
    default:
      return { executed: status >= 500 ? 'unknown' : undefined };
  }
}
