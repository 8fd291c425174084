package clip
import ("testing";"os";"time";"pixelgrad/tensor")
func TestZZLoad(t *testing.T){
 for _,o:=range []Options{{Vision:true},{}} {
 tensor.ReleaseAll()
 s:=time.Now(); c:=processorTime()
 m,err:=Load(os.Getenv("ZZ"),o); if err!=nil {t.Fatal(err)}
 t.Logf("load %v cpu %.2f peak %d MB weights %d", time.Since(s), processorTime()-c, peakMemory()/1000000, m.Bytes()/1000000)
 x:=scattered(1,16,3,224,224); for i:=0;i<6;i++ { tensor.Release(m.EncodeImage(x)); if i==0||i==5 {t.Logf("%d", peakMemory()/1000000)} }
 t.Logf("after forward peak %d MB", peakMemory()/1000000)
 if !o.Vision { break }
 if os.Getenv("ONLYV")!="" {break}
 m=nil
 }
}
