export default defineEventHandler(() => "Answered by Nitro");
