import * as fc from 'fast-check';
import { inspect } from 'node:util';
import { isInvalidOption, type EtcdClient } from 'rxetcd';
import type { Observable } from 'rxjs';
import {
  anyKey,
  anything,
  brokenText,
  isUnicode,
  notText,
  segment,
  text,
} from '../../support/values/arbitraries.js';
import { forAll } from '../../support/values/for-all.js';
import { bad, fuzzedServer, type Outcome } from '../../support/scripted/fuzzed-server.js';
import { runSeed } from '../../support/values/random.js';

const fuzz = fuzzedServer();
const { outcome, judge, succeed } = fuzz;
let client: EtcdClient;

beforeEach(() => {
  ({ client } = fuzz);
});

describe(`with the seed ${String(runSeed)}`, () => {
  describe('auth', () => {
    const isName = (v: unknown): boolean =>
      typeof v === 'string' &&
      isUnicode(v) &&
      !v.includes('/') &&
      !['', '.', '..', 'root', 'guest'].includes(v);
    /** etcd hides what begins with an underscore, so that a client may refuse to create it. */
    const isUnlisted = (name: string, made: Outcome<unknown>): boolean =>
      name.startsWith('_') && !made.ok && isInvalidOption(made.error);
    /** Also words that etcd's own answers are told apart by. */
    const authName = fc.oneof(
      { weight: 5, arbitrary: segment },
      {
        weight: 1,
        arbitrary: fc.constantFrom('page not found', 'User a does not exist', 'already enabled', '404'),
      },
    );
    const pattern = text.map((t) => `/${t}`);
    const patterns = fc.uniqueArray(pattern, { maxLength: 3 });

    test('a role of any name has the rights that it was given', async () => {
      const role = fc.record({ name: authName, read: patterns, write: patterns, more: pattern });
      await forAll(50, role, async ({ name, read, write, more }) => {
        const rights = {
          role: name,
          permissions: { kv: { read: [...read].sort(byBytes), write: [...write].sort(byBytes) } },
        };
        const made = await outcome(() => client.auth.createRole$(name, { read, write }));
        if (isUnlisted(name, made)) return;
        expect(made.ok && sortedRights(made.value)).toEqual(rights);
        try {
          expect(await outcome(() => client.auth.createRole$(name))).toMatchObject({
            error: { status: 409 },
          });
          expect(sortedRights(await succeed(client.auth.role$(name)))).toEqual(rights);
          const names = (await succeed(client.auth.roles$())).map((r) => r.role);
          expect(names).toContain(name);
          if (!read.includes(more)) {
            await succeed(client.auth.updateRole$(name, { grant: { read: [more] } }));
            await succeed(client.auth.updateRole$(name, { revoke: { read: [more] } }));
            expect(sortedRights(await succeed(client.auth.role$(name)))).toEqual(rights);
          }
        } finally {
          await succeed(client.auth.deleteRole$(name));
        }
        expect(await outcome(() => client.auth.role$(name))).toMatchObject({ error: { status: 404 } });
      });
    });

    test('a user of any name and password exists under that name', async () => {
      const user = fc.record({
        name: authName,
        password: fc.oneof(
          text.filter((t) => t !== '' && Buffer.byteLength(t) <= 72),
          fc.constant('p'.repeat(72)),
        ),
        roles: fc.uniqueArray(segment, { maxLength: 2 }),
      });
      await forAll(8, user, async ({ name, password, roles }) => {
        const made = await outcome(() => client.auth.createUser$(name, password));
        if (isUnlisted(name, made)) return;
        expect(made).toEqual({ ok: true, value: { user: name, roles: [] } });
        try {
          expect(await outcome(() => client.auth.createUser$(name, password))).toMatchObject({
            error: { status: 409 },
          });
          expect(await succeed(client.auth.user$(name))).toEqual({ user: name, roles: [] });
          expect((await succeed(client.auth.users$())).map((u) => u.user)).toContain(name);
          if (roles.length > 0) {
            const { roles: granted } = await succeed(client.auth.updateUser$(name, { grant: roles }));
            expect([...granted].sort()).toEqual([...roles].sort());
          }
        } finally {
          await succeed(client.auth.deleteUser$(name));
        }
        expect(await outcome(() => client.auth.user$(name))).toMatchObject({ error: { status: 404 } });
      });
    });

    test('arguments of any kind: an answer of etcd, or a refusal', async () => {
      const longName = segment.map((s) => s.repeat(Math.ceil(4_200 / s.length)));
      const name = fc.oneof(
        { weight: 3, arbitrary: anything },
        { weight: 1, arbitrary: longName },
        { weight: 1, arbitrary: anyKey },
      );
      const lists = fc.oneof(
        fc.array(anything, { maxLength: 3 }),
        fc.array(name, { maxLength: 2 }),
        anything,
        fc.constant(new Array(2)),
      );
      const changes = fc.oneof(
        anything,
        fc.record({ grant: lists, revoke: lists }, { requiredKeys: [] }),
        fc.record({ grant: fc.record({ read: lists, write: lists }, { requiredKeys: [] }) }),
      );
      const calls: Record<string, (n: never, c: never) => Observable<unknown>> = {
        user$: (n) => client.auth.user$(n),
        deleteUser$: (n) => client.auth.deleteUser$(n),
        updateUser$: (n, c) => client.auth.updateUser$(n, c),
        role$: (n) => client.auth.role$(n),
        createRole$: (n, c) => client.auth.createRole$(n, c),
        updateRole$: (n, c) => client.auth.updateRole$(n, c),
        deleteRole$: (n) => client.auth.deleteRole$(n),
      };
      const call = fc.record({ call: fc.constantFrom(...Object.keys(calls)), n: name, c: changes });
      await forAll(250, call, async ({ call: which, n, c }) => {
        const result = await outcome(() => calls[which]!(bad(n), bad(c)));
        if (!isName(n) && n !== 'root' && n !== 'guest')
          expect(!result.ok && isInvalidOption(result.error)).toBe(true);
      });
    });

    test('a password that is none is refused and not shown', async () => {
      const password = fc.oneof(
        notText,
        brokenText.map((t) => `pa55word${t}`),
        fc.constant(''),
        // Of its UTF-8 etcd's bcrypt heeds 72 bytes, and any password with the same ones would do; 3.5 fails.
        fc.integer({ min: 65, max: 200 }).map((rest) => `pa55word${'x'.repeat(rest)}`),
        fc.integer({ min: 22, max: 50 }).map((rest) => `pa55word${'東'.repeat(rest)}`),
      );
      await forAll(60, fc.tuple(segment, password), async ([name, given]) => {
        const calls = [
          () => client.auth.createUser$(name, bad(given)),
          () => client.auth.updateUser$(name, { password: bad(given), grant: [] }),
        ];
        // No password is no change.
        for (const call of given === undefined ? calls.slice(0, 1) : calls) {
          const result = await judge<unknown>(call, false);
          expect(result.ok ? '' : inspect(result.error)).not.toContain('pa55');
        }
      });
    });
  });
});

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

interface Rights {
  readonly role: string;
  readonly permissions: {
    readonly kv: { readonly read: readonly string[]; readonly write: readonly string[] };
  };
}

/** In an order of its own: etcd's is that of a map. */
const sortedRights = ({ role, permissions: { kv } }: Rights): Rights => ({
  role,
  permissions: { kv: { read: [...kv.read].sort(byBytes), write: [...kv.write].sort(byBytes) } },
});
