print("kinelog")
