/** Characters of the reader's own, kept by the browser from visit to visit: files by the number of the person. A private
 * window or a full disk keeps none; then they hold for this visit only. */

const DATABASE = "mfn-studio";
const FILES = "characters";
const PATIENCE = 500; // milliseconds; a browser that answers at all does within some ten

/** All that are kept; none where the browser does not tell at once. */
export function keptFiles(): Promise<[person: number, file: File][]> {
  const all = inStore("readonly", async (files) => {
    const [people, kept] = await Promise.all([done(files.getAllKeys()), done(files.getAll())]);
    return people.flatMap((person, i): [number, File][] =>
      kept[i] instanceof File ? [[Number(person), kept[i]]] : [],
    );
  });
  const late = new Promise<[]>((resolve) => setTimeout(resolve, PATIENCE, []));
  return Promise.race([all.catch((): [] => []), late]);
}

/** Keeps a person's file; undefined: forgets the one that was kept. */
export async function keepFile(person: number, file: File | undefined): Promise<void> {
  try {
    await inStore("readwrite", async (files) => {
      if (file) await done(files.put(file, person));
      else await done(files.delete(person));
    });
  } catch {
    // it holds for this visit
  }
}

/** Opens the store for one use, and closes it. */
async function inStore<Result>(
  mode: IDBTransactionMode,
  use: (files: IDBObjectStore) => Promise<Result>,
): Promise<Result> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(FILES);
  const database = await done(request);
  try {
    return await use(database.transaction(FILES, mode).objectStore(FILES));
  } finally {
    database.close();
  }
}

function done<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
