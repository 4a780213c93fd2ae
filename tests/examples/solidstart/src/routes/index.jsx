export default function Home() {
  return <h1>Rendered by SolidStart</h1>;
}
