import { EMPTY, type Observable } from 'rxjs';

/** A browser makes its connections unseen: nobody can say who took which. */
export class Vouching {
  vouch$(): Observable<never> {
    return EMPTY;
  }

  forget(): void {
    // Nothing is kept.
  }
}
