import { defer, type Observable } from 'rxjs';
import { check, demand, secret } from '../../check.js';
import { checkedCall, type CallOptions } from '../../options.js';
import type { V3Context } from '../context.js';
import {
  unaryNames,
  services,
  type AnswerOf,
  type RequestOf,
  type ServiceName,
  type UnaryName,
} from '../wire/methods.js';
import { v3Call$ } from './v3-call.js';

/** Options of `raw$`. */
export interface RawOptions extends CallOptions {
  /** The one endpoint that is asked, one of the client's `endpoints`. Default: whoever serves the call. */
  endpoint?: string | undefined;
}

/** Calls as etcd's own API has them. */
export class RawApi {
  readonly #context: V3Context;

  constructor(context: V3Context) {
    this.#context = context;
  }

  raw$<S extends ServiceName, M extends UnaryName<S>>(
    service: S,
    method: M,
    message: RequestOf<S, M>,
    options: RawOptions = {},
  ): Observable<AnswerOf<S, M>> {
    return defer(() => {
      const { settings, cluster } = this.#context;
      demand('service', service, check.oneOf(...Object.keys(services)));
      demand('method', method, check.oneOf(...unaryNames(service)));
      demand('message', message, secret(check.object));
      return v3Call$(this.#context, {
        operation: `raw ${service}.${method}`,
        settings: checkedCall(settings, options, { endpoint: check.oneOf(...cluster.endpoints) }),
        at: options.endpoint,
        service,
        method,
        message,
        read: (answer) => answer,
      });
    });
  }
}
