import { get as httpRequest } from 'node:http';
import { get as httpsRequest } from 'node:https';
import { Observable } from 'rxjs';
import type { ClientTls } from '../cluster/test-cluster.js';

export interface HttpAnswer {
  status: number;
  body: string;
}

/** One GET on a connection of its own; errors when the whole answer is not there within `limit` ms. Unsubscribing aborts it. */
export function httpGet(url: string, limit: number, tls?: ClientTls): Observable<HttpAnswer> {
  return new Observable<HttpAnswer>((subscriber) => {
    const get = tls === undefined ? httpRequest : httpsRequest;
    const request = get(url, { agent: false, ...tls }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (body += part));
      response.on('error', (error) => subscriber.error(error));
      response.on('end', () => {
        subscriber.next({ status: response.statusCode ?? 0, body });
        subscriber.complete();
      });
    });
    request.on('error', (error) => subscriber.error(error));
    const timer = setTimeout(
      () => request.destroy(new Error(`no answer from ${url} within ${limit} ms`)),
      limit,
    );
    return () => {
      clearTimeout(timer);
      request.destroy();
    };
  });
}
