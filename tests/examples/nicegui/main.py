from nicegui import ui

ui.label("A page of NiceGUI")

if __name__ in {"__main__", "__mp_main__"}:
    ui.run(port=8090, show=False, reload=False)
