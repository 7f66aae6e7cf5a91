/** What is watched. */
export interface Target {
  /** The key, normalised. */
  readonly key: string;
  readonly recursive: boolean;
}
