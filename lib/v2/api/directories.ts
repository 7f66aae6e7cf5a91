import { defer, switchMap, type Observable } from 'rxjs';
import { check } from '../../check.js';
import { EtcdApiError, EtcdErrorCode } from '../../errors.js';
import type { CallSettings } from '../../options.js';
import { within } from '../../cluster/deadline.js';
import { ttlChecks, type KeyCalls, type KeysRequest } from './key-calls.js';
import type { DeleteOptions, TtlOptions } from './keys.js';
import type { KeyResponse, ResponseInfo } from '../model/model.js';

/** Directories (etcd: Documentation/v2/api.md, "Listing a directory" and its neighbours). */
export class DirectoriesApi {
  readonly #calls: KeyCalls;

  constructor(calls: KeyCalls) {
    this.#calls = calls;
  }

  setDir$(dir: string, options: TtlOptions = {}): Observable<KeyResponse> {
    return this.#calls.write$('setDir', dir, { dir: true }, options);
  }

  createDir$(dir: string, options: TtlOptions = {}): Observable<KeyResponse> {
    return this.#calls.write$('createDir', dir, { dir: true }, options, ttlChecks, { prevExist: 'false' });
  }

  updateDir$(dir: string, options: TtlOptions = {}): Observable<KeyResponse> {
    return this.#calls.checked$(dir, options, ttlChecks, (path, settings) =>
      this.#onDirectory$('updateDir', path, settings, {
        method: 'PUT',
        form: { dir: true, ttl: options.ttl, prevExist: 'true' },
      }),
    );
  }

  createDirInOrder$(dir: string, options: TtlOptions = {}): Observable<KeyResponse> {
    return this.#calls.write$('createDirInOrder', dir, { dir: true }, options, ttlChecks, { method: 'POST' });
  }

  deleteDir$(dir: string, options: DeleteOptions = {}): Observable<KeyResponse> {
    return this.#calls.checked$(dir, options, { recursive: check.boolean }, (path, settings) =>
      this.#onDirectory$('deleteDir', path, settings, {
        method: 'DELETE',
        query: { dir: true, recursive: options.recursive },
      }),
    );
  }

  /** Looks first: etcd would wipe the value of a file that it is told to update as a directory, and delete it as one. */
  #onDirectory$(
    operation: 'updateDir' | 'deleteDir',
    path: string,
    settings: CallSettings,
    request: KeysRequest,
  ): Observable<KeyResponse> {
    return defer(() => {
      const startedAt = performance.now();
      const look: KeysRequest = { method: 'GET', query: { quorum: true }, name: operation };
      return this.#calls.run$('quorumGet', path, look, settings).pipe(
        switchMap(({ node, info }) => {
          if (node.dir !== true) throw notDirectory(operation, path, info);
          return this.#calls.run$(operation, path, request, within(settings, startedAt));
        }),
      );
    });
  }
}

/** As etcd itself puts it. */
function notDirectory(
  operation: string,
  path: string,
  { endpoint, etcdIndex = 0 }: ResponseInfo,
): EtcdApiError {
  return new EtcdApiError(
    `${operation} ${path}`,
    {
      errorCode: EtcdErrorCode.NotDirectory,
      message: 'Not a directory',
      reason: path,
      index: etcdIndex,
      status: 400,
    },
    { endpoint },
  );
}
