import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * A password that can be checked but not shown. As quick as tests want it, so no keeper of real secrets: etcd takes
 * bcrypt.
 */
export class PasswordHash {
  readonly #salt = randomBytes(16);
  readonly #digest: Buffer;

  constructor(password: string) {
    this.#digest = this.#digestOf(password);
  }

  matches(password: string): boolean {
    return timingSafeEqual(this.#digest, this.#digestOf(password));
  }

  /** Of what bcrypt heeds: 72 bytes, the password and a NUL over and over. */
  #digestOf(password: string): Buffer {
    return createHmac('sha256', this.#salt)
      .update(Buffer.alloc(72, `${password}\0`))
      .digest();
  }
}
