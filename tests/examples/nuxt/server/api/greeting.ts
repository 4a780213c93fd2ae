export default defineEventHandler(() => ({ text: "Rendered by Nuxt" }));
