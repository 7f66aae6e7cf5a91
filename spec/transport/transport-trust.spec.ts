import { EventBus } from '../../lib/insight/events.js';
import { resolveOptions } from '../../lib/options.js';
import { Transport } from '../../lib/transport/transport.js';
import type { HttpRequest } from '../../lib/transport/http.js';
import { rejectionOf } from '../support/jest/rejection.js';

const endpoint = 'http://127.0.0.1:1';
const request: HttpRequest = {
  method: 'POST',
  endpoint,
  path: '/',
  timeout: 1_000,
  operation: 'op',
  pool: 'command',
};

test.each<[string, Partial<HttpRequest>, boolean]>([
  ['credentials', { authorization: 'token' }, true],
  ['a password in its body', { body: '{"password":"hunter22"}', secret: 'hunter22' }, true],
  ['none of these', {}, false],
])('a request with %s to an endpoint that is not trusted is withheld: %p %p', async (_, more, isWithheld) => {
  const transport = new Transport(resolveOptions({ endpoints: endpoint }), new EventBus());
  transport.trusts = () => false;
  try {
    const error = await rejectionOf(transport.exchange$({ ...request, ...more }));
    expect(error).toMatchObject({ kind: isWithheld ? 'withheld' : 'connect', sent: false });
  } finally {
    transport.close();
  }
});
