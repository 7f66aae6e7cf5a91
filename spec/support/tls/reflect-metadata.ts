/**
 * The library that makes certificates insists on a polyfill for decorators' metadata, of which it uses none: an empty
 * one will do. It must be imported first.
 */
const nothing = (): undefined => undefined;

Object.assign(Reflect, { getMetadata: nothing, getOwnMetadata: nothing, defineMetadata: nothing });
