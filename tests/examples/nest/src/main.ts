import { Controller, Get, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";

@Controller()
class AppController {
  @Get()
  greet(): { text: string } {
    return { text: "Answered by Nest" };
  }
}

@Module({ controllers: [AppController] })
class AppModule {}

async function start(): Promise<void> {
  const app = await NestFactory.create(AppModule);
  await app.listen(process.env.PORT ?? 3000);
}

void start();
