import { EMPTY, type Observable } from 'rxjs';

/** In a browser headers may come with the body: none are overdue, and a bundle leaves out what would look for them. */
export class Overdue {
  end$(): Observable<never> {
    return EMPTY;
  }

  begun(): void {
    // None was waited for.
  }
}
