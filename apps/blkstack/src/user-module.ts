import { isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { resolve as resolvePackage } from "import-meta-resolve";

/**
 * Where a module is that a user names: a path, which begins with `.` or `/`, or a package that is
 * installed at, or above, the folder. Throws when there is no such package.
 */
export function userModuleUrl(name: string, folder: string): string {
  const isPath = /^\.{1,2}(\/|$)/.test(name) || isAbsolute(name);
  if (isPath) return pathToFileURL(resolve(folder, name)).href;
  return resolvePackage(name, pathToFileURL(resolve(folder, "module.js")).href);
}

/** Imports it, which runs its code, and answers all that it exports; lists are taken apart. */
export async function importUserModule(name: string, folder: string): Promise<unknown[]> {
  const exported = (await import(userModuleUrl(name, folder))) as Record<string, unknown>;
  return Object.values(exported).flat();
}
