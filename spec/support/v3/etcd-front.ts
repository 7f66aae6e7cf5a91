import { firstValueFrom, from, type Observable } from 'rxjs';
import type { ScriptedAction } from '../scripted/scripted-action.js';
import { startScriptedServer, type ScriptedRequest } from '../scripted/scripted-server.js';

/** What stands before a member: it passes each request on, but for what a spec does to it. */
export interface EtcdFront {
  readonly url: string;
  /** Does something before, instead or after; by default it passes the request on. */
  handle: (request: ScriptedRequest, pass: () => Promise<ScriptedAction>) => Promise<ScriptedAction>;
  close(): Promise<void>;
}

/** Starts one; it lives until `close`. */
export async function startEtcdFront(memberUrl: string): Promise<EtcdFront> {
  const pass = async ({ method, path, body, headers }: ScriptedRequest): Promise<ScriptedAction> => {
    const { authorization } = headers;
    const answer = await fetch(memberUrl + path, {
      method,
      ...(method === 'GET' ? {} : { body }),
      headers: authorization === undefined ? {} : { authorization },
    });
    const { status } = answer;
    // A stream of watches has no end.
    return path === '/v3/watch' && answer.body !== null
      ? { status, body: from(answer.body.pipeThrough(new TextDecoderStream())) as Observable<string> }
      : { status, body: await answer.text() };
  };
  const front: EtcdFront = {
    get url() {
      return server.url;
    },
    handle: (_, passOn) => passOn(),
    close: () => firstValueFrom(server.close$()).then(() => undefined),
  };
  const server = await firstValueFrom(
    startScriptedServer((request) => from(front.handle(request, () => pass(request)))),
  );
  return front;
}
