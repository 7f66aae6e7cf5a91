/**
 * A lean axios adapter over undici's `pool.request`.
 */
import type { Dispatcher } from 'undici';
import { LeanHeaders } from './lean-headers.js';
import { FORM_TYPE, type LeanAdapter } from './lean-config.js';

const FORM_HEADERS = ['content-type', FORM_TYPE];

export function leanPoolRequest(pool: Dispatcher): LeanAdapter {
  return async (config) => {
    const body = config.data as string | undefined;
    const answer = await pool.request({
      path: config.url ?? '/',
      method: config.method!.toUpperCase() as Dispatcher.HttpMethod,
      ...(body === undefined ? {} : { body, headers: FORM_HEADERS }),
    });
    return {
      data: await answer.body.text(),
      status: answer.statusCode,
      statusText: '',
      headers: LeanHeaders.ofObject(answer.headers),
      config,
    };
  };
}
