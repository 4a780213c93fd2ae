from django.http import HttpRequest, HttpResponse
from django.urls import path


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h1>Django answers</h1>")


urlpatterns = [path("", home)]
