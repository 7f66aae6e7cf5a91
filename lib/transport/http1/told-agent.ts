import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import type { Wire } from './wire.js';

/** What Node's requests ask of an agent. */
interface RequestAgent {
  addRequest(request: ClientRequest, ...more: unknown[]): void;
}

/**
 * The same agent, with its sockets, for one exchange: which it tells how far the request has come. Anything that is no
 * agent of Node's is left as it is.
 */
export function toldAgent<A>(agent: A, wire: Wire): A {
  if (!isAgent(agent)) return agent;
  const addRequest = (request: ClientRequest, ...more: unknown[]): void => {
    wire.reached('waiting');
    const onSocket = request.onSocket.bind(request);
    // A request that has ended by then hands its socket on; one that ends later costs it.
    request.onSocket = (...given) => {
      wire.mayBeWritten();
      onSocket(...given);
    };
    request.once('socket', (socket) => {
      follow(socket, wire);
    });
    // It may fail before it is sent, and an interceptor may then send it in ways that nobody sees.
    request.once('close', () => {
      wire.reached('unknown');
    });
    agent.addRequest(request, ...more);
  };
  return Object.create(agent, { addRequest: { value: addRequest } }) as A;
}

const isAgent = (agent: unknown): agent is RequestAgent =>
  typeof agent === 'object' &&
  agent !== null &&
  typeof (agent as Partial<RequestAgent>).addRequest === 'function';

/** A request is written as soon as its socket stands. */
function follow(socket: Socket & { encrypted?: boolean; secureConnecting?: boolean }, wire: Wire): void {
  const isSecure = socket.encrypted === true;
  const written = (): void => {
    if (wire.mayBeWritten()) wire.reached('written');
  };
  if (!socket.connecting && !(isSecure && socket.secureConnecting === true)) {
    written();
    return;
  }
  wire.reached('connecting');
  socket.once(isSecure ? 'secureConnect' : 'connect', written);
}
