export function greeting(name) {
  return `Greetings from ${name}\n`;
}
