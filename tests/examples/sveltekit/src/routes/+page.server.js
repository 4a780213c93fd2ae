export const load = () => ({ text: "Loaded by SvelteKit" });
