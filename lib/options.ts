import type { AxiosInstance } from 'axios';
import { check, checkOptions, demand, isRecord, secret, secretName, type Check } from './check.js';
import { InvalidOptionError } from './errors.js';

/** How calls are repeated. */
export interface RetryOptions {
  /** Retries of one call after its first try. Default: no limit but the deadline. */
  max?: number | undefined;
  /** The first delay once every member was asked, in milliseconds. Default 50. */
  initialDelay?: number | undefined;
  /** The longest delay, in milliseconds. Default 2000. */
  maxDelay?: number | undefined;
  /**
   * Which writes are sent again. `'unsent'`: only those that provably never reached a member. `'idempotent'`: also some whose
   * outcome is unknown. On the v2 API an unconditional `set$`: it may then be applied twice and may overwrite a later write. On
   * the v3 API what compares the `modRevision` of a key that it changes (`compareAndSwap$`, `compareAndDelete$`, `txn$`): it is
   * applied once at most. Default `'unsent'`.
   */
  writes?: 'unsent' | 'idempotent' | undefined;
}

/** What every call takes besides its own options. */
export interface CallOptions {
  /**
   * One try from when it is handed to a connection, in milliseconds; waiting for a free connection counts against the
   * deadline alone. Default 10000, longer than etcd's own 7 s.
   */
  timeout?: number | undefined;
  /** The whole call with its waits and retries, in milliseconds. Default 30000. */
  deadline?: number | undefined;
  /** How the call is repeated. Default: as the client's. */
  retry?: RetryOptions | undefined;
}

/** TLS in Node; a browser uses its own store and ignores these. */
export interface TlsOptions {
  /** Certificate authority, PEM. Default: Node's. */
  ca?: string | Uint8Array | (string | Uint8Array)[] | undefined;
  /** Client certificate, PEM. Default: none. */
  cert?: string | Uint8Array | undefined;
  /** Key of the client certificate, PEM. Default: none. */
  key?: string | Uint8Array | undefined;
  /** Passphrase of the key. Default: none. */
  passphrase?: string | undefined;
  /** The name to verify and to send by SNI. Default: the endpoint's host. */
  servername?: string | undefined;
  /** Whether an unverified server is refused. Default true. */
  rejectUnauthorized?: boolean | undefined;
}

/** The options of {@link EtcdClient}. All times are in milliseconds. */
export interface ClientOptions extends CallOptions {
  /** `host:port` (the port may be left out: 2379), a URL, or an array of them. Default `http://127.0.0.1:2379`. */
  endpoints?: string | readonly string[] | undefined;
  /** Name and password: basic authentication on the v2 API, exchanged for a token on the v3 API. Default: none. */
  auth?: { username: string; password: string } | undefined;
  /** TLS for `https` endpoints. Default: none; where it is given, a `host:port` means `https`. */
  tls?: TlsOptions | undefined;
  /**
   * Between two probes of each member. `false`: one probe at first use, then only when a request fails or is slow; a
   * watch whose member freezes is then not noticed, nor is an idle one kept within etcd's history. Default 5000.
   */
  heartbeat?: number | false | undefined;
  /** Until a connection stands; an axios instance of your own has its own rules. Default 1000. */
  connectTimeout?: number | undefined;
  /** Until a probe is answered. Default 1000. */
  probeTimeout?: number | undefined;
  /** Whether members found in the cluster are used besides the endpoints. Default true. */
  discover?: boolean | undefined;
  /**
   * Which member watches are opened on. Default on the v2 API `'leader'`, the only one that never skips events there; on the
   * v3 API `'any'`.
   */
  watchOn?: 'leader' | 'any' | undefined;
  /**
   * How large an answer may be, in bytes; of a watch, each event. A larger one is cut off and ends the call, or the
   * watch, in ResponseTooLargeError. Default 67108864 (64 MiB), more than etcd can put into one key. An answer to a
   * probe may have 256 KiB, whatever is given here.
   */
  maxResponseBytes?: number | undefined;
  /**
   * An axios instance of your own, with its interceptors, proxy and adapter. Default: none; Node sends without axios.
   * When its request is handed to a connection can be told of Node's agents alone, the client's or those that the
   * instance brings; with another adapter, and through a proxy to `https`, `timeout` begins when the call is made.
   */
  axios?: AxiosInstance | undefined;
}

/** The options of {@link EtcdClient.connect$}; `deadline` limits connecting as well, and is 5000 there by default. */
export interface ConnectOptions extends ClientOptions {
  /** The key that is read to see whether the server takes the credentials; it need not exist. Default `/`. */
  checkKey?: string | undefined;
}

/** Options without those that were given as undefined. */
type Given<T> = { readonly [K in keyof T]: Exclude<T[K], undefined> };

/** What a call runs with, after defaults. */
export interface CallSettings {
  readonly timeout: number;
  readonly deadline: number;
  readonly retry: Given<Required<RetryOptions>>;
}

/** The client's options, after defaults. */
export interface Settings extends CallSettings {
  readonly endpoints: readonly string[];
  readonly auth?: { readonly username: string; readonly password: string };
  readonly tls: TlsOptions;
  readonly heartbeat: number | false;
  readonly connectTimeout: number;
  readonly probeTimeout: number;
  readonly maxResponseBytes: number;
  readonly discover: boolean;
  readonly watchOn: 'leader' | 'any';
  readonly axios?: AxiosInstance;
}

const defaults = {
  endpoints: 'http://127.0.0.1:2379',
  heartbeat: 5_000,
  connectTimeout: 1_000,
  probeTimeout: 1_000,
  maxResponseBytes: 64 * 1024 * 1024,
  timeout: 10_000,
  deadline: 30_000,
  retry: { max: Infinity, initialDelay: 50, maxDelay: 2_000, writes: 'unsent' },
  discover: true,
} as const;

const pem: Check = secret((v) => {
  const parts: unknown[] = [v].flat();
  if (!parts.every((x) => typeof x === 'string' || x instanceof Uint8Array)) return 'PEM text or bytes';
  return parts.every(isPem) ? undefined : 'PEM text or bytes; this is a path or no PEM';
});

/** Whether the first line of some PEM stands anywhere in it: comments may come before. */
const isPem = (part: unknown): boolean =>
  (typeof part === 'string' ? part : new TextDecoder('latin1').decode(part as Uint8Array)).includes(
    '-----BEGIN ',
  );

/** The longest text that V8 can hold. */
const maxText = 536_870_888;

const retryChecks: Record<string, Check> = {
  max: check.count,
  initialDelay: check.milliseconds,
  maxDelay: check.milliseconds,
  writes: check.oneOf('unsent', 'idempotent'),
};

/** The checks of {@link CallOptions}. */
export const callChecks: Record<string, Check> = {
  timeout: check.milliseconds,
  deadline: check.milliseconds,
  retry: check.object,
};

const clientChecks: Record<string, Check> = {
  ...callChecks,
  endpoints: () => undefined,
  auth: secret(check.object),
  tls: secret(check.object),
  heartbeat: (v) =>
    v === false ? undefined : check.milliseconds(v) && `${check.milliseconds(v) ?? ''}, or false`,
  connectTimeout: check.milliseconds,
  probeTimeout: check.milliseconds,
  maxResponseBytes: (v) =>
    Number.isSafeInteger(v) && (v as number) > 0 && (v as number) <= maxText
      ? undefined
      : `an integer of 1 to ${maxText} bytes`,
  discover: check.boolean,
  watchOn: check.oneOf('leader', 'any'),
  axios: secret((v) =>
    typeof v === 'function' && typeof (v as Partial<AxiosInstance>).request === 'function'
      ? undefined
      : 'an axios instance',
  ),
};

const tlsChecks: Record<string, Check> = {
  ca: pem,
  cert: pem,
  key: pem,
  passphrase: secret(check.string),
  servername: check.string,
  rejectUnauthorized: check.boolean,
};

const authChecks: Record<string, Check> = {
  username: secret(
    (v) =>
      check.string(v) ??
      (v === '' || (v as string).includes(':') ? 'a name that is not empty and has no colon' : undefined),
  ),
  password: secret(check.string),
};

function withoutUndefined<T extends object>(options: T | undefined): Given<Partial<T>> {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, v]) => v !== undefined)) as Given<
    Partial<T>
  >;
}

/** Checks the options of one call and lays them over the client's. */
export function resolveCall(client: CallSettings, call: CallOptions | undefined): CallSettings {
  if (call === undefined) return client;
  checkOptions('retry.', call.retry, retryChecks);
  // As most are.
  if (call.timeout === undefined && call.deadline === undefined && call.retry === undefined) return client;
  return {
    timeout: call.timeout ?? client.timeout,
    deadline: call.deadline ?? client.deadline,
    retry: call.retry === undefined ? client.retry : { ...client.retry, ...withoutUndefined(call.retry) },
  };
}

/** The same of options that are checked first, those of the call beside those that every call has. */
export function checkedCall(
  client: CallSettings,
  call: CallOptions,
  checks: Readonly<Record<string, Check>>,
): CallSettings {
  checkOptions('', call, callChecks, checks);
  return resolveCall(client, call);
}

function normaliseEndpoint(given: unknown, name: string, scheme: 'http' | 'https'): string {
  const hidden =
    (typeof given === 'object' && given !== null) ||
    (typeof given === 'string' &&
      (given.includes('@') || secretName.test(given.split(/[?#;]/).slice(1).join())));
  const refuse = (expected: string): never => {
    throw new InvalidOptionError(name, given, expected, { secret: hidden });
  };
  if (typeof given !== 'string' || given.trim() === '') return refuse('host:port or a URL');
  if (/^\d+$/.test(given)) return refuse('host:port or a URL, not a port alone');
  if (given.includes(',')) return refuse('one endpoint; pass an array for several');
  const bare = !/^[a-z][a-z0-9+.-]*:\/\//i.test(given);
  const url = parseUrl(bare ? `${scheme}://${given}` : given);
  if (url?.hostname === undefined || url.hostname === '') return refuse('host:port or a URL');
  if (url.port === '0') return refuse('a port above 0');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return refuse('an http or https URL');
  if (url.username !== '' || url.password !== '')
    return refuse('a URL without credentials; use the option auth');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    return refuse('a URL without path, query or fragment');
  if (bare && url.port === '' && !/:\d+[/?#\s]*$/.test(given)) url.port = '2379';
  return url.origin;
}

function parseUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

function normaliseEndpoints(given: unknown, scheme: 'http' | 'https'): string[] {
  if (!Array.isArray(given)) return [normaliseEndpoint(given, 'endpoints', scheme)];
  if (given.length === 0) throw new InvalidOptionError('endpoints', given, 'at least one endpoint');
  return [
    ...new Set(Array.from(given as unknown[], (e, i) => normaliseEndpoint(e, `endpoints[${i}]`, scheme))),
  ];
}

/**
 * Checks what the constructor was given and fills in the defaults.
 *
 * @param watchOn the default of that option, which hangs on the API
 * @throws InvalidOptionError naming the option and the value
 */
export function resolveOptions(
  first?: string | readonly string[] | ClientOptions,
  rest?: ClientOptions,
  watchOn: Settings['watchOn'] = 'leader',
): Settings {
  const given: unknown = first;
  const listed = typeof given === 'string' || Array.isArray(given);
  if (given !== undefined && !listed && !isRecord(given)) {
    throw new InvalidOptionError('endpoints', given, 'host:port, a URL, an array of them, or options', {
      secret: typeof given === 'object' && given !== null,
    });
  }
  if (!listed && rest !== undefined) {
    const order = 'endpoints before the options, or options alone';
    throw new InvalidOptionError('endpoints', given, order, { secret: true });
  }
  if (listed && rest?.endpoints !== undefined) {
    throw new InvalidOptionError('endpoints', rest.endpoints, 'endpoints in one place only', {
      secret: true,
    });
  }
  const options = (listed ? { ...rest, endpoints: first } : (first ?? {})) as ClientOptions;
  if (rest !== undefined) checkOptions('', rest, clientChecks);
  checkOptions('', options, clientChecks);
  checkOptions('tls.', options.tls, tlsChecks);
  checkOptions('auth.', options.auth, authChecks);
  const { auth } = options;
  // Neither may be left out.
  if (auth !== undefined)
    for (const [name, test] of Object.entries(authChecks))
      demand(`auth.${name}`, auth[name as keyof typeof auth], test);
  const scheme = options.tls === undefined ? 'http' : 'https';
  const { retry, endpoints = defaults.endpoints, ...others } = withoutUndefined(options);
  return {
    ...defaults,
    watchOn,
    ...others,
    // Copies: what the caller changes later changes nothing here.
    ...(auth === undefined ? {} : { auth: { ...auth } }),
    tls: withoutUndefined(options.tls),
    endpoints: normaliseEndpoints(endpoints, scheme),
    ...resolveCall(
      { timeout: defaults.timeout, deadline: defaults.deadline, retry: defaults.retry },
      { ...others, ...(retry === undefined ? {} : { retry }) },
    ),
  };
}
