export function loader() {
  return { text: "Loaded by React Router" };
}

export default function Home({ loaderData }) {
  return <h1>{loaderData.text}</h1>;
}
