import { EtcdError, type EtcdErrorDetails } from '../errors.js';
import { isRefusal } from '../transport/http.js';
import { isTooDeep, maxDepth, parseJson } from '../transport/parse-json.js';
import type { OwnSecrets, Secrets } from '../transport/secrets.js';
import { Fault, type FaultConfig } from './fault.js';

/*
 * What can be said of an answer whatever API it was asked of: above all, that it is no answer of etcd.
 */

/** An answer that is being read, and what is known of its exchange. */
export interface ServerAnswer {
  /** For messages: `get /a`. */
  readonly operation: string;
  readonly status: number;
  readonly body: string;
  /** Where it comes from. */
  readonly endpoint?: string | undefined;
  /** Hides credentials in what is told of the answer. */
  readonly secrets?: Secrets | undefined;
  /** What its request held besides the client's own. */
  readonly own?: OwnSecrets | undefined;
  /** The request had neither credentials nor a client certificate. */
  readonly anonymous?: boolean;
}

/** What a server said, as it may be told. */
export const told = (text: string, { secrets, own }: ServerAnswer): string =>
  secrets?.mask(text, own) ?? text;

/** So much of a body is kept, cut down once more where it is shown. */
const maxKept = 4_000;

/** What an answer means that is no success; keeps as much of its body as may be kept. */
export function fault(answer: ServerAnswer, config: Omit<FaultConfig, 'status' | 'body'>): Fault {
  const { status, body, own } = answer;
  const kept = own?.keepsNoBody === true ? undefined : told(body.slice(0, maxKept), answer);
  return new Fault({ status, body: kept, ...config });
}

/**
 * Not etcd's word, but that of a proxy, a portal, a cache.
 *
 * @param kind what it is instead, or what is wrong with it
 */
export function foreignFault(
  answer: ServerAnswer,
  kind: string,
  executed = executedBefore(answer.status),
): Fault {
  const { operation, endpoint, status } = answer;
  const code = String(status);
  const what =
    kind !== ''
      ? `${code}, no answer of etcd (${told(kind, answer)}${endpoint === undefined ? '' : ` from ${endpoint}`})`
      : status < 300
        ? `${code} with a body that is empty`
        : code;
  return fault(answer, {
    summary: what,
    executed,
    isStrange: reachesNobody(status),
    toError: (details) => unexpected(operation, what, details),
  });
}

/** An answer that cannot be what was asked for. */
export const unexpected = (operation: string, what: string, details: EtcdErrorDetails): EtcdError =>
  new EtcdError('UNEXPECTED_RESPONSE', `${operation}: unexpected answer: ${what}`, details);

/** What a body is that is no answer of etcd. */
export function whatElse(body: string): string {
  if (body === '') return '';
  if (/^\s*</.test(body)) return 'HTML';
  if (isTooDeep(body)) return `JSON of more than ${maxDepth} levels`;
  if (parseJson(body) !== undefined) return 'JSON of another kind';
  return /^\s*[[{]/.test(body) ? 'incomplete JSON' : 'text';
}

/** How a gateway or a balancer answers that reaches no member. */
export const reachesNobody = (status: number): boolean => status === 502 || status === 503 || status === 504;

/** What a status that is not etcd's own tells of the request; nothing where it is the last word. */
export function executedBefore(status: number): FaultConfig['executed'] {
  if (!isRefusal(status)) return 'unknown';
  // Misdirected, or one too many: it may pass.
  return status === 421 || status === 429 ? 'refused' : undefined;
}

/** What Go, and so etcd, says of a path that it does not have. */
const noSuchPath = '404 page not found';

/** etcd's answer where it serves no such path. */
export const isPathless = (status: number, body: string): boolean =>
  status === 404 && body.length < 100 && body.trim() === noSuchPath;

/** etcd does not say what is wrong; the client knows at least whether it gave a name. */
export const authenticationHint = (anonymous = false, right = 'the right'): string =>
  anonymous
    ? 'no credentials were given: option auth'
    : `the user name or password is wrong, or the user lacks ${right}`;
