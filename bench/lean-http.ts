/**
 * A lean axios adapter over `http.request`.
 */
import { request, type Agent } from 'node:http';
import { LeanHeaders } from './lean-headers.js';
import { FORM_TYPE, type LeanAdapter } from './lean-config.js';

export function leanHttp(host: string, port: number, agent: Agent): LeanAdapter {
  return (config) =>
    new Promise((resolve, reject) => {
      const body = config.data as string | undefined;
      const sent = request(
        {
          host,
          port,
          agent,
          path: config.url ?? '/',
          method: config.method!.toUpperCase(),
          ...(body === undefined
            ? {}
            : { headers: { 'content-type': FORM_TYPE, 'content-length': Buffer.byteLength(body) } }),
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', reject);
          answer.on('end', () =>
            resolve({
              data: (chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)).toString(),
              status: answer.statusCode ?? 0,
              statusText: answer.statusMessage ?? '',
              headers: LeanHeaders.ofObject(answer.headers),
              config,
              request: sent,
            }),
          );
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
}
