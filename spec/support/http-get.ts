import { get } from 'node:http';
import { Observable } from 'rxjs';

export interface HttpAnswer {
  status: number;
  body: string;
}

/** One GET on a connection of its own; errors when the whole answer is not there within `limit` ms. Unsubscribing aborts it. */
export function httpGet(url: string, limit: number): Observable<HttpAnswer> {
  return new Observable<HttpAnswer>((subscriber) => {
    const request = get(url, { agent: false }, (response) => {
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
