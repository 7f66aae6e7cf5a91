/** A process of its own that writes `count` keys, `together` in each transaction, 32 at once; tells the last revision. */
import { Pool } from 'undici';

const [origin = '', prefix = '', count = '0', together = '1'] = process.argv.slice(2);
const size = Number(together);
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const pool = new Pool(origin, { connections: 32 });
let next = 0;
let last = 0;

async function writer(): Promise<void> {
  for (let i = next; i < Number(count); i = next) {
    next += size;
    const success = Array.from({ length: size }, (_, n) => ({
      request_put: { key: base64(`${prefix}${String(i + n)}`), value: base64('v'.repeat(20)) },
    }));
    const answer = await pool.request({
      method: 'POST',
      path: '/v3/kv/txn',
      headers: ['content-type', 'application/json'],
      body: JSON.stringify({ success }),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(text);
    const { header } = JSON.parse(text) as { header: { revision: string } };
    last = Math.max(last, Number(header.revision));
  }
}

await Promise.all(Array.from({ length: 32 }, writer));
await pool.close();
process.send?.(last, () => process.disconnect());
