import axios from 'axios';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { firstValueFrom } from 'rxjs';
import { freePorts } from '../support/ports/free-port.js';
import { eventually } from '../support/jest/eventually.js';
import { failureOf, instances, kinds, scriptedTransports } from './scripted-transports.js';
import { afterEachTest } from '../support/jest/clean-up.js';

const afterwards = afterEachTest();

const scripted = scriptedTransports();
const { serve, open, requestOf } = scripted;

describe("the user's instance", () => {
  test.each(kinds.slice(1))(
    '%s: its interceptors see each request and answer, and may change them',
    async (kind) => {
      await serve(() => ({ status: 200, body: '{"a":1}' }));
      const instance = instances[kind]()!;
      const seen: string[] = [];
      instance.interceptors.request.use((config) => {
        seen.push(`${config.method ?? ''} ${config.url ?? ''}`);
        config.headers.set('X-Tenant', 'blue');
        return config;
      });
      instance.interceptors.response.use((response) => {
        seen.push(String(response.status));
        return response;
      });
      const transport = open(kind, instance);
      await firstValueFrom(transport.exchange$(requestOf()));
      expect(seen).toEqual([`get ${scripted.server.url}/v2/keys/a`, '200']);
      expect(scripted.server.requests[0]?.headers['x-tenant']).toBe('blue');
    },
  );

  test.each(kinds.slice(1))('%s: an interceptor that throws is an error of its own', async (kind) => {
    await serve(() => ({ status: 200, body: '{}' }));
    const instance = instances[kind]()!;
    instance.interceptors.request.use(() => {
      throw new Error('no token');
    });
    const error = await failureOf(open(kind, instance).exchange$(requestOf()));
    expect(error).toMatchObject({ kind: 'other', message: 'no token' });
    expect(scripted.server.requests).toEqual([]);
  });

  test.each(kinds.slice(1))('%s: its defaults do not bend ours', async (kind) => {
    await serve(() => ({ status: 503, body: '{"a":1}' }));
    const instance = instances[kind]()!;
    Object.assign(instance.defaults, {
      baseURL: 'http://elsewhere.invalid',
      timeout: 1,
      responseType: 'json',
      maxRedirects: 5,
      validateStatus: () => false,
      transformResponse: [() => 'changed'],
      transformRequest: [() => 'changed'],
    });
    const request = requestOf({ method: 'PUT', body: 'value=1' });
    const answer = await firstValueFrom(open(kind, instance).exchange$(request));
    expect([answer.status, answer.body]).toEqual([503, '{"a":1}']);
    expect(scripted.server.requests[0]?.body).toBe('value=1');
  });

  test('the agents that it brings are used, and closing the client leaves them alone', async () => {
    const { Agent } = await import('node:http');
    await serve(() => ({ status: 200, body: '{}' }));
    const httpAgent = new Agent({ keepAlive: true });
    afterwards(() => httpAgent.destroy());
    const transport = open("the user's axios over http", axios.create({ httpAgent }));
    await firstValueFrom(transport.exchange$(requestOf()));
    transport.close();
    await eventually(() => Object.keys(httpAgent.freeSockets).length === 1);
    expect(scripted.server.connections).toBe(1);
  });

  test('of an endpoint that is none any more no idle connection is left, also of one by IPv6', async () => {
    await serve(() => ({ status: 200, body: '{}' }));
    // It ends none by itself.
    const server = createServer({ keepAliveTimeout: 0 }, (_, response) => response.end('{}'));
    const [port] = await firstValueFrom(freePorts(1));
    await once(server.listen(port, '::1'), 'listening');
    afterwards(() => {
      server.close();
      server.closeAllConnections();
    });
    const endpoint = `http://[::1]:${port!}`;
    const transport = open("the user's axios over http", axios.create());
    const connected = once(server, 'connection');
    await firstValueFrom(transport.exchange$(requestOf({ endpoint })));
    const [socket] = (await connected) as [Socket];
    const closed = once(socket, 'close');
    transport.forget(endpoint);
    await closed;
  });
});
