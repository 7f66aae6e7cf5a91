import { isRecord } from '../../check.js';
import type { Fault } from '../../cluster/fault.js';
import { fault, foreignFault, isPathless, whatElse, type ServerAnswer } from '../../cluster/server-answer.js';
import { isBefore } from '../../cluster/server-version.js';
import { UnsupportedByServerError } from '../../errors.js';
import { parseJson, textIn } from '../../transport/parse-json.js';
import { grpcFault, isGrpcCode, type GrpcError } from './grpc-error.js';
import { decodeJson, ShapeError } from './json-codec.js';
import type { Answer, MessageName } from './messages.js';
import type { Method } from './methods.js';

/** An answer of the gateway, and what is known of its exchange. */
export interface GatewayAnswer extends ServerAnswer {
  /** The release of the server that answered, if known. */
  readonly version?: string | undefined;
}

/**
 * The message that a method was answered with, checked in every part; anything else is thrown as a Fault. That it comes
 * from a member is told by its header: an empty object, which any page may answer, would be an empty range.
 */
export function decodeAnswer<M extends MessageName>(
  answer: GatewayAnswer,
  method: Method & { readonly response: M },
): Answer<M> {
  const json = parseJson(answer.body);
  if (answer.status >= 300 || !isRecord(json)) throw faultOf(answer, json);
  return vouchedFor(answer, method, json);
}

/**
 * The message in one line of a stream; anything else is thrown as a Fault: an error of etcd, which ends the stream, and what is
 * no line of one.
 */
export function decodeLine<M extends MessageName>(
  answer: GatewayAnswer,
  method: Method & { readonly response: M },
): Answer<M> {
  const json = parseJson(answer.body);
  const error = isRecord(json) && isRecord(json['error']) ? errorIn(json) : undefined;
  if (error !== undefined) throw grpcFault(answer, error);
  if (!isRecord(json) || !isRecord(json['result'])) throw foreignFault(answer, whatElse(answer.body));
  return vouchedFor(answer, method, json['result']);
}

function vouchedFor<M extends MessageName>(
  answer: GatewayAnswer,
  { response, headless = false }: Method & { readonly response: M },
  json: unknown,
): Answer<M> {
  const message = decoded(answer, response, json);
  if (!headless && !isMembers((message as Headed).header))
    throw foreignFault(answer, `${response}.header names no member`);
  return message;
}

interface Headed {
  readonly header: Answer<'ResponseHeader'> | undefined;
}

const isMembers = (header: Headed['header']): boolean =>
  header?.cluster_id !== undefined && header.member_id !== undefined;

function decoded<M extends MessageName>(answer: GatewayAnswer, name: M, json: unknown): Answer<M> {
  try {
    return decodeJson(name, json);
  } catch (error) {
    throw error instanceof ShapeError ? foreignFault(answer, `${name}${error.message}`) : error;
  }
}

/** What an answer means that is no message. */
function faultOf(answer: GatewayAnswer, json: unknown): Fault {
  const { operation, status, body } = answer;
  const error = errorIn(json);
  if (isAbsent(status, body, error))
    return fault(answer, {
      summary: absentSummary,
      isStrange: true,
      toError: (details) => new UnsupportedByServerError(`${operation}: ${absence(answer.version)}`, details),
    });
  if (status >= 300 && error !== undefined) return grpcFault(answer, error);
  if (status === 400 && body.startsWith(namesClient))
    return fault(answer, {
      summary: '400 the gateway takes no client certificate with a CommonName',
      toError: (details) =>
        new UnsupportedByServerError(
          `${operation}: with authentication on, etcd's gateway takes no client certificate that has a CommonName`,
          { ...details, hint: 'use one without, and the option auth' },
        ),
    });
  return foreignFault(answer, whatElse(body));
}

/** What the gateway answers, as text, to a certificate that names a user. */
const namesClient = 'CommonName of client sending a request against gateway will be ignored';

/**
 * An error in any of its forms: `{code, message}` since etcd 3.6; `{error, code, message}` before, unless the gateway was
 * linked anew; of a stream `{error: {code, message}}` or `{error: {grpc_code, http_code, message, http_status}}`.
 */
function errorIn(json: unknown): GrpcError | undefined {
  if (!isRecord(json)) return undefined;
  const inner = json['error'];
  const from = isRecord(inner) ? inner : json;
  const code = from['grpc_code'] ?? from['code'];
  const message = textIn(from, 'message');
  return isGrpcCode(code) && message !== undefined ? { code, message } : undefined;
}

/** No gateway is there, or it has no such path: etcd's word, and in its two forms that of the gateway. */
const isAbsent = (status: number, body: string, error: GrpcError | undefined): boolean =>
  isPathless(status, body) ||
  (status === 404 && (error === undefined ? body.trim() : error.message) === 'Not Found');

/** Releases before that have another API below other paths. */
const oldest = '3.4.0';

const absentSummary = '404, and not from the v3 API';

/** Whether an answer was that there is no such path. */
export const isAbsence = ({ message }: Fault): boolean => message === absentSummary;

/** Why a path is not there. */
export function absence(version: string | undefined): string {
  if (isBefore(version, oldest))
    return `etcd ${version ?? ''} is older than ${oldest}, the first release that is spoken here`;
  const who = version === undefined ? 'the server' : `this server (etcd ${version})`;
  return `${who} has no such call, or its gateway is off (--enable-grpc-gateway=false)`;
}
