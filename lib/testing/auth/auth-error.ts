/** Why etcd refuses a change of users or roles, or cannot show them; `message` is its own. */
export class AuthError extends Error {
  override readonly name = 'AuthError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(`auth: ${message}`);
    this.status = status;
  }
}
