/* The places of an address that wait for a parameter. Pure. */

interface Named {
  name: string;
  parameterPosition?: string | null | undefined;
}

/** Names in braces, such as `id` of `/visits/{id}`, that no parameter sent in the address has; `{{…}}` is a variable. */
export function findPlaces(address: string, parameters: readonly Named[]): string[] {
  const filled = new Set(parameters.filter(({ parameterPosition }) => parameterPosition === "url").map(({ name }) => name));
  const named = [...address.matchAll(/(?<!\{)\{([^{}]+)\}(?!\})/g)].map(([, name]) => name as string);
  return [...new Set(named)].filter((name) => !filled.has(name));
}
