@tool
extends EditorPlugin
## MFN's nodes need nothing of the editor: they are there, as global classes, once the folder is.
