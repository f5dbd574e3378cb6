/** Characters of the reader's own, kept by the browser from visit to visit: files by the number of the person. A private
 * window or a full disk keeps none; then they hold for this visit only. */

const DATABASE = "mfn-studio";
const FILES = "characters";

/** All that are kept. */
export async function keptFiles(): Promise<[person: number, file: File][]> {
  try {
    const files = await store("readonly");
    const [people, kept] = await Promise.all([done(files.getAllKeys()), done(files.getAll())]);
    return people.flatMap((person, i) => (kept[i] instanceof File ? [[Number(person), kept[i]]] : []));
  } catch {
    return [];
  }
}

/** Keeps a person's file; undefined: forgets the one that was kept. */
export async function keepFile(person: number, file: File | undefined): Promise<void> {
  try {
    const files = await store("readwrite");
    if (file) await done(files.put(file, person));
    else await done(files.delete(person));
  } catch {
    // it holds for this visit
  }
}

async function store(mode: IDBTransactionMode): Promise<IDBObjectStore> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(FILES);
  return (await done(request)).transaction(FILES, mode).objectStore(FILES);
}

function done<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
