import { useLoaderData } from "@remix-run/react";

export function loader() {
  return { text: "Loaded by Remix" };
}

export default function Index() {
  return <h1>{useLoaderData().text}</h1>;
}
