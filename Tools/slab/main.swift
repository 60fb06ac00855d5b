print("slab")
