import { inspect } from 'node:util';
import { keyValue } from '../../../lib/v3/model/key-value.js';
import { responseInfo } from '../../../lib/v3/model/response-info.js';
import { deleteResponse, getResponse, putResponse, rangeResponse } from '../../../lib/v3/model/responses.js';
import { decodeJson } from '../../../lib/v3/wire/json-codec.js';
import { header } from './../wire/answers.js';

const info = { clusterId: 'c', memberId: 'a', revision: 7, raftTerm: 2, endpoint: 'http://a' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const wire = {
  key: base64('/a'),
  value: base64('{"n":1}'),
  create_revision: '3',
  mod_revision: '7',
  version: '2',
};
const plain = { key: '/a', value: '{"n":1}', createRevision: 3, modRevision: 7, version: 2 };
const kv = (fields: object = {}) => keyValue(decodeJson('KeyValue', { ...wire, ...fields }));

describe('a key with its value', () => {
  test('is text and bytes', () => {
    expect(kv()).toMatchObject(plain);
    expect(kv().keyBytes).toEqual(Uint8Array.of(47, 97));
    expect(Buffer.from(kv().valueBytes).toString()).toBe('{"n":1}');
    expect('lease' in kv()).toBe(false);
    expect(kv({ lease: '255' }).lease).toBe('00000000000000ff');
  });

  test('its value as JSON; what is none is not shown', () => {
    expect(kv().json<{ n: number }>().n).toBe(1);
    expect(() => kv({ value: base64('secret') }).json()).toThrow(
      new SyntaxError('the value of "/a" is no JSON'),
    );
  });

  test('bytes that are no UTF-8 survive, and so does a byte order mark', () => {
    const bytes = Uint8Array.of(0xff, 0, 0xfe);
    const odd = kv({ key: Buffer.from(bytes).toString('base64'), value: base64('\ufeffx') });
    expect(odd.keyBytes).toEqual(bytes);
    expect(odd.key).toBe('\ufffd\0\ufffd');
    expect(odd.value).toBe('\ufeffx');
  });

  test('prints as its fields, key and value as text', () => {
    expect(JSON.parse(JSON.stringify(kv({ lease: '1' })))).toEqual({ ...plain, lease: '0000000000000001' });
    expect(inspect({ kv: kv() })).toBe(inspect({ kv: plain }));
  });
});

describe('answers', () => {
  test('a read of one key', () => {
    const found = getResponse(decodeJson('RangeResponse', { kvs: [wire], count: '1' }), info);
    expect(found.kv).toMatchObject(plain);
    expect(found.info).toBe(info);
    expect(getResponse(decodeJson('RangeResponse', {}), info)).toEqual({ info });
  });

  test('a read of a range', () => {
    const answer = decodeJson('RangeResponse', { kvs: [wire, wire], count: '5', more: true });
    expect(rangeResponse(answer, info)).toMatchObject({ kvs: [plain, plain], count: 5, more: true, info });
    expect(rangeResponse(decodeJson('RangeResponse', {}), info)).toEqual({
      kvs: [],
      count: 0,
      more: false,
      info,
    });
  });

  test('a write', () => {
    expect(putResponse(decodeJson('PutResponse', { prev_kv: wire }), info)).toMatchObject({
      prevKv: plain,
      info,
    });
    expect(putResponse(decodeJson('PutResponse', {}), info)).toEqual({ info });
  });

  test('a deletion', () => {
    const answer = decodeJson('DeleteRangeResponse', { deleted: '1', prev_kvs: [wire] });
    expect(deleteResponse(answer, info)).toMatchObject({ deleted: 1, prevKvs: [plain], info });
    expect(deleteResponse(decodeJson('DeleteRangeResponse', {}), info)).toEqual({
      deleted: 0,
      prevKvs: [],
      info,
    });
  });
});

describe('what an answer tells of the server', () => {
  test('ids are hexadecimal', () => {
    expect(responseInfo(decodeJson('ResponseHeader', header), 'http://a')).toEqual({
      clusterId: 'cdf818194e3a8c32',
      memberId: 'a',
      revision: 7,
      raftTerm: 2,
      endpoint: 'http://a',
    });
  });

  test('nothing, if it names no member', () => {
    expect(responseInfo(undefined, 'http://a')).toBeUndefined();
    expect(responseInfo(decodeJson('ResponseHeader', { revision: '7' }), 'http://a')).toBeUndefined();
  });
});
