import { isRecord } from '../../check.js';
import { kindOf } from '../../util/kind-of.js';

/** Says what is wrong with a value, as it goes on behind the value's name (`.id is a number`); else nothing. */
export type Shape = (value: unknown) => string | undefined;

const ofType =
  (type: 'string' | 'number' | 'boolean'): Shape =>
  (value) =>
    typeof value === type ? undefined : ` is ${kindOf(value)}`;

export const text = ofType('string');
export const number = ofType('number');
export const boolean = ofType('boolean');

/** Left out where it is empty, or null. */
export const optional =
  (shape: Shape): Shape =>
  (value) =>
    value === undefined || value === null ? undefined : shape(value);

/** Either of two. */
export const either =
  (one: Shape, other: Shape): Shape =>
  (value) =>
    one(value) === undefined ? undefined : other(value);

export const list =
  (shape: Shape): Shape =>
  (value) => {
    if (!Array.isArray(value)) return ` is ${kindOf(value)}`;
    const flaws = value.map((item, i) => ({ i, flaw: shape(item) }));
    const first = flaws.find(({ flaw }) => flaw !== undefined);
    return first?.flaw === undefined ? undefined : `[${first.i}]${first.flaw}`;
  };

/** An object with these fields, whatever else it holds. */
export const record =
  (fields: Readonly<Record<string, Shape>>): Shape =>
  (value) =>
    isRecord(value) ? firstFlaw(Object.entries(fields), (name) => value[name]) : ` is ${kindOf(value)}`;

/** An object whose fields, of any name, are all of one shape. */
export const recordOf =
  (shape: Shape): Shape =>
  (value) =>
    isRecord(value)
      ? firstFlaw(
          Object.keys(value).map((name) => [name, shape]),
          (name) => value[name],
        )
      : ` is ${kindOf(value)}`;

function firstFlaw(fields: [string, Shape][], valueOf: (name: string) => unknown): string | undefined {
  for (const [name, shape] of fields) {
    const flaw = shape(valueOf(name));
    if (flaw !== undefined) return `.${name}${flaw}`;
  }
  return undefined;
}
