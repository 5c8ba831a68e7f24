import faulthandler,hashlib as O,io,lzma,numpy as P,os as l,signal,subprocess,sys as c,time as u,torch as e,torch.distributed as m,torch.nn.functional as o,traceback
from functools import partial as a
from pathlib import Path as s
from sentencepiece import SentencePieceProcessor
from torch import nn as Q
from torch.nn.attention.flex_attention import create_block_mask,flex_attention
from typing import NamedTuple as t
def ep():
 a=l.environ.get;o=int(a('RANK',0));t=int(a('WORLD_SIZE',1));n=int(a('LOCAL_RANK',0))
 if t<1 or 8%t:raise ValueError(f"WORLD_SIZE is {t}, wanted a divisor of 8, the micro-batches of a step")
 return o,t,n
def eg():
 global r,ii,p,i;o,t,n=ep();a='gloo';d=e.device('cpu')
 if e.cuda.is_available():a='nccl';d=e.device('cuda',n);e.cuda.set_device(d)
 if t>1:m.init_process_group(a)
 p=o;i=t;ii=n;r=d
def ew():
 if i>1:m.destroy_process_group()
def ey(t):
 if i>1:m.all_reduce(t)
 return t
def eb(value):
 t=[value]*i
 if i>1:m.all_gather_object(t,value)
 return t
def ev(value):
 if i==1:return value
 t=e.tensor(value,dtype=e.float64,device=r);m.all_reduce(t,m.ReduceOp.MAX);return t.item()
def ek(t):
 if t.grad is None:t.grad=e.zeros_like(t)
 return t.grad
def ex(o):
 a=[ek(t)for t in o]
 if i>1:
  h=e.cat([s.flatten()for s in a]);m.all_reduce(h);n=(h/i).split([s.numel()for s in a])
  for(s,d)in zip(a,n,strict=True):s.copy_(d.view_as(s))
def ej(a,n):
 if i>1:return m.reduce_scatter(a,list(n.chunk(i)),async_op=True)
 a.copy_(n)
def eq(n,a):
 if i>1:return m.all_gather(list(n.chunk(i)),a,async_op=True)
 n.copy_(a)
def ez(n):
 if n is not None:n.wait()
def eA(n,a):
 if not n.d:return a,
 e=range(n.shape[0]//len(n.d));return tuple(t.format(i)for t in n.d for i in e)
def v(h):
 r=[]
 for n in h:
  if n.d:
   e=range(n.shape[0]//len(n.d))
   for(t,s)in zip(n.d,n.init,strict=True):r+=[(t.format(i),s,n)for i in e]
  else:r+=[(a,n.init,n)for a in n.s()]
 return r
def eB(s,h,t):
 for n in h:
  l=t if n.dtype=='activation'else e.float32
  for a in n.s():
   *d,c=a.split('.');i=s
   for o in d:
    if o not in i._modules:i.add_module(o,Q.ModuleList())
    i=i._modules[o]
   i.register_parameter(c,Q.Parameter(e.empty(n.shape,dtype=l,device=r)))
def eC(a):o=O.sha256(f"{ee}:{a}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(o[:7],'little'))
def eD(h,l):
 i=k(y.state_dict(),h)
 for(a,s,u)in v(h):o=e.empty(i[a].shape);s(o,eC(a),l);i[a].copy_(o)
def k(i,h):
 o=[]
 for n in h:
  for a in n.s():o+=i[a].unbind()if n.d else[i[a]]
 return{a:t for((a,u,u),t)in zip(v(h),o,strict=True)}
def j(tensor,generator,ledger):tensor.zero_()
def q(tensor,generator,ledger):tensor.fill_(1.)
def z(tensor,generator,ledger,value):tensor.fill_(value)
def eE(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
class eF:
 def __init__(e):e.B=None;e.H=None;c=[(y.get_parameter(a),eA(n,a),n)for n in er for a in n.s()];e.tensors=[t for(t,h,n)in c];e.names=[h for(t,h,n)in c];e.replicated=[t for(t,h,n)in c if n.reduction=='replicated'];e.u=[t for(t,h,n)in c if n.m];e.k=[h for(t,h,n)in c if n.m];s=[t for(t,h,n)in c if n.group=='matrix'];o=[h for(t,h,n)in c if n.group=='matrix'];of(s,o);i=[(r,[t for(t,h,n)in c if n.group==r.name],[h for(t,h,n)in c if n.group==r.name])for r in oF];oi(i)
 @e.no_grad()
 def step(e,scalars,ledger):
  for r in oE:r(e.tensors,e.names,ledger)
  op();ex(e.replicated);on(scalars,ledger);og(scalars,ledger)
  for t in e.tensors:t.grad=None
def eG(a):
 if e.cuda.is_available():return e.compile(a,dynamic=False,fullgraph=True)
 return a
def eH(e):
 global U
 if U is None:U=eG(oH)
 return U(e.bfloat16(),5)
def eI():return{}
def eJ(e,h):e=eH(e).contiguous();return e
def eK(t,e,h,n,a,l):eL(t,e,h,.025*a.i,n,a,l)
def eL(t,e,h,o,n,a,l):
 for r in oD:r(t,e,h,o,a,l)
 t.add_(e,alpha=-o*n)
def eM(s,t,d):t.mul_(d).add_(s);return s.add(t,alpha=d)
def eN(t):return max(1,t.shape[-2]/t.shape[-1])**.5
def eO():
 a=''
 try:oB()
 except(OSError,ValueError)as s:a=f"{eh}: {s}"
 for(o,t)in enumerate(eb(a)):
  if t:raise ValueError(f"{t} (on rank {o})"if o else t)
def eP(t):
 if t is not None:n(f"prepared {eh}: {t}")
class Param(t):
 name:t;shape:t;group:t;z:t;init:t=None;r:t='';dtype:t='float32';layers:t=0;d:t=();reduction:t='replicated';D:t='';m:t=True;J:t=True;export:t='yes';w:t=0
 def s(e):return[e.name.format(i)for i in range(e.w,e.layers)]or[e.name]
class Group(t):name:t;lr:t;weight_decay:t=.0
class Phase(t):name:t;start:t;C:t=True;r:t=''
class A:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def n(e,n,t):e.done[n,'']=t
 def A(e,n):return', '.join(f"{o} {t}".strip()for((a,t),o)in e.done.items()if a==n and o)
def eQ(s,o,t):return(s/B(o)).round().clamp(-t,t).to(e.int8)
def B(o):return o[:,None]if o.ndim else o
def eR(r,o,i):return(r.float()*B(o).float()).to(i)
def eS(s,half):
 if s.ndim==2:o=(s.abs().amax(1)/31).clamp_min(1/31)
 else:o=s.abs().amax()/31;o=o if o>0 else o+1
 if half:o=o.half()
 return eQ(s,o.float(),31),o
def eT(s):
 if s.ndim==2:a=e.quantile(s.abs(),.9999984,1);o=(a/127).clamp_min(1/127);t=o.half()
 else:a=e.quantile(s.abs().flatten(),.9999984);t=o=a/127 if a>0 else a+1
 a=B(a);return eQ(s.clamp(-a,a),o,127),t
def eU(n,i):
 if'kept'in n:return n['kept'].to(i)
 return eR(n['codes'],n['step'],i)
def C(a,o):
 t=l.environ.get(a,o)
 try:return int(t)
 except ValueError:raise ValueError(f"{a} is {t!r}, wanted a whole number like {o!r}")from None
def eV():
 t=l.environ.get('MAX_WALLCLOCK_SECONDS',6e2)
 try:return float(t)
 except ValueError:raise ValueError(f"MAX_WALLCLOCK_SECONDS is {t!r}, wanted seconds like 600.0")from None
def eW():global W,X,g,Y,oM,Z,ee,et,oN,oO;a=l.environ.get;W=a('DATA_PATH','./data/datasets/fineweb10B_sp1024');X='export'in c.argv;g=C('ITERATIONS',20000);Y=eV();oM=a('RUN_ID',str(u.time_ns()));Z='score'in c.argv;ee=C('SEED',1337);et=a('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');oN=C('TRAIN_LOG_EVERY',200);oO=C('VAL_LOSS_EVERY',1000)
class Score(t):val_loss:t;l:t;E:t;g:t
def eX(i):
 if i.numel():raise ValueError(f"target {i[0]} of the validation stream is not scored")
def eY(i):n=b[i].to(r,e.int64);t=n[:,:-1].contiguous();return t,n[:,1:].contiguous(),eZ(t)
def eZ(n):return{}
def te(a,y,i,s):
 u=i[:,1:];a[u[s]]=y;tO(f"eval: batch {y}");t,o,c=eY(i)
 with e.set_grad_enabled(False):m=oR(t,o,phases=tR(),fields=c,reduction='none',adapter=None)
 l=aZ(t,o,u.to(r));h=s.to(r);n=m.detach().double()*h,h,l*h;return m,e.stack([d.sum().double()for d in n])
def tt(a,t):
 if i>1:a=a.to(r);m.all_reduce(a,t)
 return a.cpu()
def ta(a,n,d):
 eX(1+(a[1:]==0).nonzero().flatten());e,o,t=ey(n).tolist()
 if o>len(a)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(e/o,e/.6931471805599453/t,int(o),1e3*(u.perf_counter()-d))
def to(scored_at):
 if p==0:d=f"logs/{oM}.scores.npz";P.savez_compressed(d,scored_at=scored_at.numpy())
class Span(t):start:t;end:t;w:t
def ti(t):return[Span(o,o+4096,0)for o in range(0,(t-1)//4096*4096,4096)]
def tn(t):return t[len(t)*p//i:len(t)*(p+1)//i]
def ts(t):
 i=e.zeros(ed,4097,dtype=e.int64);s=e.zeros(ed,4096,dtype=e.bool)
 for(n,(o,a,c))in enumerate(t):i[n,:a+1-o]=e.arange(o,a+1);s[n,c:a-o]=True
 return i,s
def D(t):
 d=u.perf_counter();y.eval();t=tn(t);a=e.zeros(len(b),dtype=e.int32);n=e.zeros(3,dtype=e.float64,device=r)
 for(h,o)in enumerate(range(0,len(t),ed),1):i,s=ts(t[o:o+ed]);n+=te(a,h,i,s)[1]
 y.train();a=tt(a,m.ReduceOp.MAX);return ta(a,n,d),a
def tr():return{a:n.z for(a,u,n)in v(er)if n.export!='drop'}
def th(i,c,l=0):
 e=tr();o={}
 for(a,h)in e.items():t=i[a];r=c.get(a,{});n=V[h].encode(a,t,r,d);o[a]={s:u.cpu()for(s,u)in n.items()}
 return tl(o)
def tl(o):return o
def td(o):return aQ(aU(o))
def tc(data,i):
 a=2**20+sum(8*t.numel()+4096 for t in i.values())
 try:return aV(aR(data,a))
 except Exception as s:raise ValueError(f"the artifact cannot be read: {str(s).partition(chr(10))[0]}")from s
def tu(a,n,h,i):t=V[h].decode(a,n,i);return t
def tm(o,i):
 e=tr()
 if o.keys()!=e.keys():raise ValueError("the artifact's tensors are not the model's")
 for(a,h)in e.items():
  try:t=tf(a,o[a],h,i[a].dtype)
  except Exception as s:raise ValueError(f"the artifact's {a} cannot be decoded: {s!r}")from s
  if t.shape!=i[a].shape:raise ValueError(f"{a}: shape {[*t.shape]}, wanted {[*i[a].shape]}")
  i[a].copy_(t)
def tf(a,n,h,i):return tu(a,n,h,i)
def tp(t):
 global ea,eo,oP;oP=p;ea=p==0;s('logs').mkdir(exist_ok=True);eo=s('logs',t+'.txt')
 if ea and not X:eo.write_text('')
 c.excepthook=a(tw,eo);faulthandler.register(signal.SIGTERM,eo.open('a'),chain=True)
def n(t):
 if ea:
  print(t,flush=True)
  with eo.open('a')as a:print(t,file=a)
def tg(t):
 if ea:n(f"error: {t}")
 elif t not in eo.read_text():
  with eo.open('a')as a:print(f"rank {oP}: error: {t}",file=a)
def tw(path,kind,s,trace):
 with path.open('a')as a:traceback.print_exception(s,file=a)
 c.__excepthook__(kind,s,trace)
def ty():
 o=O.sha256(s(c.argv[0]).read_bytes()).hexdigest();t=f"hardware:{l.uname().machine} CPU, {e.get_num_threads()} threads"
 if r.type=='cuda':t=subprocess.getoutput('nvidia-smi')
 n(f"Running Python {c.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{o}\n{t}")
def E():return len(s(c.argv[0]).read_bytes())
oC='final_model.pt'
def F():return V['mlp'].name
def tb():return s(f"final_model.{F()}.ptz")
def tv(o):
 i=k(y.state_dict(),er)
 if p==0:s('final_export.pt').unlink(missing_ok=True);G(a(e.save,i),'final_model.pt')
 c=tq()
 if p==0:r=c,d.done,w,el,en;G(a(e.save,r),'final_export.pt')
 tk(i,c)
def tk(i,c):
 t=tS();h('diagnostic','val');n(f"diagnostic pre-quantization post-ema val_loss:{t.val_loss:.8f} val_bpb:{t.l:.8f} eval_time:{t.g:.0f}ms")
 if p==0:tz(i,c)
 ev(.0);tB()
def G(o,d):
 t=s('final_model.tmp')
 try:
  o(t)
  with t.open('rb')as a:l.fsync(a.fileno())
  t.replace(d)
 finally:t.unlink(missing_ok=True)
def tx():
 global en,el,w;i=k(y.state_dict(),er);o=tj('final_model.pt');r=tj('final_export.pt');e=[a for a in i if a not in o or o[a].shape!=i[a].shape]
 if e:raise ValueError(f"final_model.pt is of another model: {e[0]} is missing or has another shape")
 for(a,t)in i.items():t.copy_(o[a])
 c,n,w,el,en=r;d.done.update(n);tN(en);tk(i,c)
def tj(d):
 try:return e.load(d,r,weights_only=True)
 except OSError:raise
 except Exception as s:raise ValueError(f"{d} is damaged: {str(s)[:99]!r}")from s
def tq():global ei;c={};ei=False;return c
def tz(i,c):o=th(i,c,E());h('quantize','none');r=td(o);h('compress','none');G(a(s.write_bytes,data=r),tb());e=f"{F()}+lzma";n(f"Serialized model: {s(oC).stat().st_size} bytes\nCode size: {E()} bytes\nSerialized model {e}: {len(r)} bytes\nTotal submission size {e}: {len(r)+E()} bytes")
def tA():
 i=k(y.state_dict(),er)
 for t in i.values():t.zero_()
 r=tb().read_bytes();o=O.sha256(r).hexdigest()
 if Z:
  a=''.join(d.read_text()for d in s('logs').glob('*.txt'))
  if'artifact_sha256:'in a and o not in a:raise ValueError('the artifact is not that of the logs in logs/')
 n('artifact_sha256:'+o);tm(tc(r,i),i)
def tB():o=F();tA();h('decode','none');t,a=D(ti(len(b)));h('score','val');tC(f"{o}_lzma_roundtrip",t);t,a=D(oo(len(b)));h('score','val');tC(f"{o}_sliding_window",t);to(a);d.count('sliding_eval','targets',t.E)
def tC(e,t):n(f"final_{e} val_loss:{t.val_loss:.4f} val_bpb:{t.l:.4f} eval_time:{t.g:.0f}ms\nfinal_{e}_exact val_loss:{t.val_loss:.8f} val_bpb:{t.l:.8f}")
def tD():
 t=[r.r for r in f if r.name not in w];o=False
 for a in oI:
  e=d.A(a)
  if e and a not in t:n(f"receipt {a}: {e}")
  else:n(f"error: plugin {a} did nothing");o=p==0
 return o
class Progress(t):step:t;j:t;p:t;f:t;F:t;i:t
class Scalars(t):i:t;v:t;momentum:t
def tE(o,i,s):a=i/s if s>0 else o/max(g,1);return Progress(o,g,i,s,a,1.)
class Context(t):
 ids:t;phases:t;training:t;o:t;memo:t;fields:t;c:t;y:t;ledger:t
 def a(e,n,t,o=1):
  if e.ledger is not None:e.ledger.count(n,t,o)
def H(t):return o.rms_norm(t,(t.size(-1),),eps=1.1920929e-07)
def tF(t):return o.pad(t[:,:-1],(0,0)*(t.dim()-2)+(1,0))
def I(a):
 if'starts'in a.fields:return a.fields['starts']
 if'documents'not in a.fields:return
 t=a.fields['documents'];return o.pad(t[:,1:]!=t[:,:-1],(1,0))
def tG(h,s,d,i,n,a):
 for r in oL:s=r(h,s,d,i,n,a)
 return s
def tH(h,s,t,d,i,n,a):
 s=tG(h,s,d,i,n,a)
 if a.y is not None:a.y(d,i,t)
 return J(o.linear(t,s.to(t.dtype)),t,d,n,a)
def J(o,t,e,n,a):
 if a.c is not None and e in a.c.sites:o=o+a.c.delta(t,e,n)
 return o
def tI(t,a):
 if'rope'not in a.memo:i=t.size(1);s=t.size(3);d=t.device;h=1e4**(-e.arange(0,s,2,dtype=e.float32,device=d)/s);r=e.outer(e.arange(i,dtype=e.float32,device=d),h);a.memo['rope']=r.cos(),r.sin()
 l,y=(n[None,:,None,:].to(t.dtype)for n in a.memo['rope']);o,c=t.chunk(2,-1);return e.cat((o*l+c*y,c*l-o*y),-1)
class GPT(Q.Module):
 def __init__(e,h,t):super().__init__();e.G=None;e.B=None;e.records=h;eB(e,h,t)
 def matrices(e):return k(dict(e.named_parameters()),e.records)
 def matrix(e,role,layer,position,ctx):return tG(e,ctx.o[f"blocks.{layer}.{role}.weight"],role,layer,position,ctx)
 def h(e,t,d,i,n,a):return tH(e,a.o[f"blocks.{i}.{d}.weight"],t,d,i,n,a)
 def stem(e,ids,ctx):t=o.embedding(ids,ctx.o['tok_emb.weight']);t=t+ah(ids,ctx);t=H(t);t=aD(t,ctx);return t
 def x(e,n,a):t=e.stem(n,a);return H(aC(e,t,t,a))
 def logits(e,x,ctx):
  o=aM(e,x,ctx)
  for r in oG:o=r(e,o,ctx)
  return o
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):i=fields or{};h={};fields={**h,**i};a=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);t=e.x(ids,a);o=e.logits(t,a);y=al(o,targets,reduction,a);return y
def tJ(a):
 a=s(a);t=sorted(d for d in a.parent.glob(a.name)if('_bytes_'in d.name)==('_bytes_'in a.name))
 if not t:raise ValueError(f"{a}: no shard matches, see DATA_PATH")
 return t
def tK(d):
 t=s(d).stat().st_size;a=P.fromfile(d,'<i4',3).tolist()
 if t<=1024 or a!=[20240520,1,(t-1024)/2]:raise ValueError(f"{d}: {t} bytes and header {a}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return a[2]
def K(d):
 o=P.memmap(d,'<u2','r',1024,tK(d))
 if o.max()>=1024:raise ValueError(f"{d}: token {o.argmax()} is {o.max()}, wanted an id below 1024")
 return o
def tL(a):
 o=P.concatenate([K(d)for d in tJ(a)])
 if len(o)<=4096:raise ValueError(f"{a}: {len(o)} tokens, wanted at least 4097")
 return e.from_numpy(o[:(len(o)-1)//4096*4096+1])
def tM():global en,oQ,es;en=.0;oQ=es=u.perf_counter()
def tN(i):global oQ;oQ=u.perf_counter()-i/1e3
def h(a,data):global en,es;t=1e3*(u.perf_counter()-oQ);n(f"stage:{a} begin:{en:.0f}ms end:{t:.0f}ms data:{data}");en=t;es=u.perf_counter()
def tO(t):
 global es
 if u.perf_counter()>es+10:es=u.perf_counter();n(t)
def tP(h,l):global el,oR,d,y,er,w,eh,ed,b,ei;er=h;d=l;w=();eh='';tM();el=False;ei=not(Z or X);ed=max(16,1);t=e.bfloat16 if r.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;y=GPT(h,t);eD(h,l);oR=eG(y);a=s(W,'fineweb_val_*.bin');b=tL(a);aY(l);o=O.sha256(b.numpy().data).hexdigest();n(f"val_loader:shards pattern={a} tokens:{len(b)-1}\nval_sha256:{o}")
def L(l):a=s(W,'fineweb_train_*.bin');oe(a,l)
def tQ():
 if not ei:raise ValueError('training data are closed: training time is over')
 h=oa((786432,4096)[0]//8,(786432,4096)[1]);t,o=(d.to(r,non_blocking=True)for d in h);return t,o,{}
def tR():return tuple(r.name for r in f if r.C and r.name in w)
def tS():return D(ti(len(b)))[0]
def tT(s):
 t=[()]
 for r in s:t+=[(*h,r.name)for h in t]
 return t
def tU():
 t,o,c=tQ();t,o=t[:1,:512],o[:1,:512];c={a:u[:1,:512]for(a,u)in c.items()};e=tuple(r.name for r in f);y(t,o,phases=e,fields=c,ledger=d).backward()
 for n in er:i=sum(y.get_parameter(a).grad is not None for a in n.s());d.count(n.r,'trained tensors',i)
 y.zero_grad()
def tV():
 i=y.state_dict();s={a:t.clone()for(a,t)in i.items()};r=eF();l=A();L(l)
 for h in tT(f):
  for o in range(20):ae(r,h,Scalars(1.,1.,.9),l);n(' '.join((f"warmup_step:{o+1}/20",*h)))
 for(a,t)in i.items():t.copy_(s[a])
 e.manual_seed(ee);L(d)
def tW(h):
 try:eW();eg();l=A()
 except ValueError as s:print(f"error: {s}",file=c.stderr);c.exit(2)
 t=eb(oM)[0];tp(t);e.manual_seed(ee);e.backends.cuda.matmul.allow_tf32=True
 if Y==0:tY()
 ty();n('plugins:'+' '.join(oI));tX(h,l)
 if ei:
  tZ();tU();tV();o=ao()
  try:tv(o)
  except(OSError,ValueError)as s:tg(str(s));c.exit(f"error: rank {p}: {s}")
 a=not Z and(tD()or el);ew()
 if a:c.exit(1)
def tX(h,l):
 global w
 try:
  tP(h,l);eO()
  if X:tx()
  elif Z:w=tuple(r.name for r in f);tB()
  else:L(A())
  return
 except(OSError,ValueError)as s:
  tg(str(s))
  if not X:ew()
  c.exit(2)
def tY():l.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tZ():n(f"model_params:{sum(t.numel()for t in y.parameters())}\nworld_size:{i} grad_accum_steps:{8//i}\nseed:{ee}\ntrain_batch_tokens:786432 train_seq_len:4096 iterations:{g} warmup_steps:20 max_wallclock_seconds:{Y:.3f}")
def ae(r,s,a,l):
 e=8//i;n=.0
 for u in range(e):t,o,c=tQ();y=oR(t,o,phases=s,fields=c)/e;n+=y.detach();y.backward()
 r.step(a,l);return n
def at(o,i,s):
 global w;t=tE(o,i,s);a=Scalars(1.,1.,.0)
 for h in oJ:a=h(t,a,d)
 for r in f:
  if r.name not in w and r.start(t._replace(i=a.i)):w=tuple(e.name for e in f if e.name in w or e is r);d.n(r.r,f"on at step {o}");n(f"phase {r.name} on at step:{o} train_time:{i:.0f}ms")
 return a
def aa():return 1e3*Y
def ao():
 r=eF();os(r.u,r.k);s=aa();o=0;i=.0;oy()
 while True:
  u=o==g or 0<s<=i
  if u or oO>0 and o%oO==0:
   ob();t=tS();ai(o,f"val_loss:{t.val_loss:.4f} val_bpb:{t.l:.4f}",i)
   if u:break
   oy()
  a=at(o,i,s);y=ae(r,w,a,d);o+=1;oh(r.u,o,a);i=ev(ov(o))
  if oN>0 and(o<=10 or o%oN==0):
   ai(o,f"train_loss:{y:.4f}",i)
   if y!=y:raise ValueError('the training loss is not a number')
 if o<g:n(f"stopping_early: wallclock_cap train_time:{i:.0f}ms step:{o}/{g}")
 l=e.cuda.max_memory_allocated()>>20;c=e.cuda.max_memory_reserved()>>20;n(f"peak memory allocated: {l} MiB reserved: {c} MiB");ol(r.u);tN(i);h('train','train');return o
def ai(o,t,i):n(f"step:{o}/{g} {t} train_time:{i:.0f}ms step_avg:{i/max(o,1):.2f}ms")
def an(t,o,s,a):a.a('additive_skips','skips');return t+a.o['skip_weights'][s].to(t.dtype)*o
def ar(t,a):
 n=e.bitwise_xor(36313*t[:,1:],27191*t[:,0:-1]);s=o.pad(n%3071,(1,0),value=3071);d=I(a)
 if d is not None:i=d;s=s.masked_fill(i,3071)
 return s
def ah(t,a):a.a('bigram_hash','lookups');n=a.o['bigram.embed.weight'];l=o.embedding(ar(t,a),n);e=o.linear(l,a.o['bigram.proj.weight'].to(l.dtype));return e*a.o['bigram.scale'].to(l.dtype)
def al(t,e,reduction,a):a.a('cross_entropy','losses');y=o.cross_entropy(t.flatten(0,1).float(),e.flatten(),reduction=reduction);return y.view_as(e)if reduction=='none'else y
def ad(h,t,i,n,a):a.a('leaky_relu2','layers');e=o.leaky_relu(h.h(t,'mlp.fc',i,n,a),.5).square();return h.h(e,'mlp.proj',i,n,a)
def ac(t,i,a):a.a('ln_scale','branches');n=(i+1)**-.5;return t*n
def M(tensor,generator,ledger):
 if min(tensor.shape)>=64:Q.init.orthogonal_(tensor,generator=generator);ledger.count('ortho_init','orthogonal matrices')
 else:a=tensor.shape[-1]**-.5;tensor.uniform_(-a,a,generator=generator)
def au(t,a):a.a('partial_rope','rotations');o=tI(t[...,:16],a);return e.cat((o,t[...,16:]),-1)
def am(model,s,r,t,i,n,ctx):
 if i<6:return s,r
 ctx.a('pko','layers');o=r[...,16:];l=e.cat((o[:,:1],o[:,:-1]),dim=1);d=I(ctx)
 if d is not None:l=e.where(d[:,:,None,None],o,l)
 return s,e.cat((r[...,:16],l),dim=-1)
def af(model,s,r,t,i,n,ctx):ctx.a('qk_gain','layers');o=ctx.o[f"blocks.{i}.attn.q_gain"].to(s.dtype);return s*o[:,None],r
def ap(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def ag(s,r,t,i,a):return aK(s,r,t,i,a)
def aw(h,t,i,n,a):
 d=h.h(t,'attn.c_q',i,n,a);l=h.h(t,'attn.c_k',i,n,a);c=h.h(t,'attn.c_v',i,n,a);c=aO(c,i,a);d=au(H(e.unflatten(d,2,(8,-1))),a);l=au(H(e.unflatten(l,2,(4,-1))),a);c=e.unflatten(c,2,(4,-1))
 for r in(am,af):d,l=r(h,d,l,t,i,n,a)
 o=ag(d,l,c,i,a);o=aP(o,c,i,a);o=h.h(o.flatten(2),'attn.proj',i,n,a);return J(o,t,'attn',n,a)
def ay(s,r,t,n,a):
 d=s.transpose(1,2);l=r.transpose(1,2);c=t.transpose(1,2)
 if n<0 or n>=d.size(2)-1:h=d.size(1)!=l.size(1);return o.scaled_dot_product_attention(d,l,c,is_causal=True,enable_gqa=h).transpose(1,2)
 return ab(s,r,t,av(d.size(2),n,d.device,a))
def ab(s,r,t,h):d=s.transpose(1,2);l=r.transpose(1,2);c=t.transpose(1,2);i=d.size(1)//l.size(1);l=l.repeat_interleave(i,1);c=c.repeat_interleave(i,1);return o.scaled_dot_product_attention(d,l,c,attn_mask=h).transpose(1,2)
def av(length,n,device,a):
 s='window',n
 if s not in a.memo:t=e.arange(length,device=device);o=t[:,None]-t[None,:];a.memo[s]=(o>=0)&(o<=n)
 h=a.memo[s];return h
def ak(t,e,i,a):o=a.o[f"blocks.{i}.resid_mix"].to(t.dtype);return o[0]*t+o[1]*e
def ax(t,i,a):o=H(t);o=ac(o,i,a);return o
def aj(h,t,i,n,a):o=aw(h,t,i,n,a);return a.o[f"blocks.{i}.attn_scale"].to(t.dtype)*o
def aq(h,t,i,n,a):e=ad(h,t,i,n,a);e=J(e,t,'mlp',n,a);return a.o[f"blocks.{i}.mlp_scale"].to(t.dtype)*e
def az(h,t,e,i,n,a):o=ak(t[0],e,i,a);o=o+aj(h,ax(o,i,a),i,n,a);return o+aq(h,ax(o,i,a),i,n,a),
def aA(t,o,s,i,a):
 if o is None:return t
 return an(t[0],o,s,a),*t[1:]
def aB(h,t,e,a):
 r,d=aN();a.a('unet_plan','steps over 11 layers',len(r)+len(d));o=[]
 for(n,i)in enumerate(r):t=az(h,t,e,i,n,a);o.append(t[0])
 for(s,i)in enumerate(d):t=aA(t,o.pop()if o else None,s,i,a);t=az(h,t,e,i,len(r)+s,a)
 return t
def aC(h,t,o,a):a.a('sequential_wiring','walks');return aB(h,(t,),o,a)[0]
def aD(t,a):
 a.a('smear_gate','blends');o=tF(t);d=I(a)
 if d is not None:o=o.masked_fill(d[...,None],0)
 n=e.sigmoid(a.o['smear.gate']).to(t.dtype);return(1-n)*t+n*o
def aE():
 if r.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as t;return'flash-attn 3',t
 except ImportError:
  try:from flash_attn import flash_attn_func as t;return'flash-attn 2',t
  except ImportError:return aH(),None
def aF(a,s,r,t,n):o=a(s,r,t,causal=True,window_size=(n,0));return o[0]if isinstance(o,tuple)else o
def aG(o,s,r,t,n,a):
 if o is not None:return aF(o,s,r,t,n)
 return ay(s,r,t,n,a)
def aH():t=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not t);e.backends.cuda.enable_flash_sdp(t);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if t else'cuDNN'
def aI():
 def t(h,head,query,key):return(query>=key)&(query-key<=256)
 return t
def aJ():
 global R;a,R=aE()
 if r.type!='cuda'or R is not None:return a
 for i in(4096,4096):t=aI();S[i]=create_block_mask(t,None,None,i,i,device=r)
 return f"flex_attention (windows), {a} (full)"
def aK(d,l,c,i,a):
 t=i<6;a.a('swa','windowed layers'if t else'full layers');n=256 if t else-1
 if t and a.ledger is None and d.size(1)in S:h=d.size(2)!=l.size(2);e=d.transpose(1,2),l.transpose(1,2),c.transpose(1,2);o=flex_attention(*e,block_mask=S[d.size(1)],enable_gqa=h);return o.transpose(1,2)
 return aG(R,d,l,c,n,a)
def aL(model,t,ctx,cap):ctx.a('tanh_softcap','caps');return cap*e.tanh(t/cap)
def aM(h,t,a):a.a('tied_head','heads');return tH(h,a.o['tok_emb.weight'],t,'head',0,0,a)
def aN():e=tuple(range(11));return e[:len(e)//2],e[len(e)//2:]
def aO(t,i,a):
 if i not in(9,10):return t
 a.a('value_embedding','layers')
 if've'not in a.memo:l=o.embedding(a.ids,a.o['ve_shared.embed.weight']);l=o.linear(l,a.o['ve_shared.proj.weight'].to(l.dtype));a.memo['ve']=l*a.o['ve_shared.scale'].to(l.dtype)
 n=a.o[f"ve_layer_scales.{oK.index(i)}"];e=a.memo['ve'];return t+n.to(t.dtype)*e
def aP(n,t,i,a):
 if i<0:return n
 a.a('xsa','layers');h=e.unflatten(n,2,(t.size(2),-1));s=o.normalize(t,dim=-1)[:,:,:,None,:];return(h-(h*s).sum(-1,keepdim=True)*s).flatten(2,3)
def aQ(data):h=lzma.compress(data,preset=9);d.n('lzma',f"{len(data)} -> {len(h)} bytes");return h
def aR(data,a):
 d=lzma.LZMADecompressor(memlimit=2**27);t=d.decompress(data,a)
 if not d.eof or d.unused_data:raise ValueError(f"wanted one whole stream of at most {a} bytes")
 return t
def aS(o):t=io.BytesIO();i={c.intern(a):{c.intern(s):d for(s,d)in n.items()}for(a,n)in o.items()};e.save(i,t);return t.getvalue()
def aT(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def aU(o):r=aS(o);d.n('torch_save',f"{len(o)} tensors in {len(r)} bytes");return r
def aV(data):return aT(data)
def aW():
 try:t=SentencePieceProcessor(et)
 except(OSError,RuntimeError)as s:raise OSError(f"{et}: not a SentencePiece model")from s
 if len(t)>1024:raise ValueError(f"{et} has {len(t)} pieces, wanted at most vocab_size=1024")
 if t.piece_to_id('\u2581')==t.unk_id():raise ValueError(f"{et}: U+2581 is not a piece of its own")
 return t
def aX(t):
 l=[(0,0,1)]*1024
 for a in range(len(t)):
  if not(t.is_control(a)or t.is_unknown(a)or t.is_unused(a)):o=t.id_to_piece(a);n=o.startswith('\u2581');l[a]=1 if t.is_byte(a)else len(o.encode())-3*n,n,0
 return e.tensor(l).T
def aY(l):
 global ia,it,oS,ie
 if any(s(W).glob('*_bytes_*')):raise ValueError(f"{W}: it has byte side files, build with the plugin that reads them")
 t=aX(aW());ie,it,ia=t.to(r);oS=l
def aZ(a,t,o):oS.count('sentencepiece_bytes','targets',t.numel());l=ie[t]+(it[t]&~ia[a]);return l
def oe(a,l):
 global ec,oV,oT,eu,oU;ec=tJ(a)
 for d in ec:tK(d)
 oT=p;oU=i;oV=l;eu=K(ec[0])
def ot(t):
 global eu;n=[]
 while t>0:
  if not len(eu):ec.append(ec.pop(0));eu=K(ec[0])
  n.append(eu[:t]);eu=eu[t:];t-=len(n[-1])
 return P.concatenate(n)
def oa(o,t):a=ot(oU*(o+1)).reshape(oU,-1)[oT];a=e.from_numpy(a.astype(int));oV.count('sequential_loader','batches');return a[:-1].reshape(-1,t),a[1:].reshape(-1,t)
def oo(t):a=min(64,4096);u=t-1;e=range(0,max(u-(4096-a),1),a);return[Span(o,min(o+4096,u),0 if o==0 else 4096-a)for o in e]
def oi(i):global oW;d=[{'params':o,'spec':r}for(r,o,h)in i];oW=e.optim.AdamW(d,betas=(.9,.95),eps=1e-08,fused=True)
def on(a,l):
 for i in oW.param_groups:i['lr']=i['spec'].lr*a.i;i['weight_decay']=i['spec'].weight_decay*a.v
 oW.step();l.count('adam','steps')
@e.no_grad()
def os(o,h):global em,oX;oX=0;em=[t.detach().float().clone()for t in o]
@e.no_grad()
def oh(o,n,a):global oX;oX+=1;e._foreach_mul_(em,.997);e._foreach_add_(em,[t.detach().float()for t in o],alpha=1-.997)
@e.no_grad()
def ol(o):
 for(t,a)in zip(o,em,strict=True):t.copy_(a)
 d.count('ema','updates',oX)
def od(o,names,ledger,max_norm):Q.utils.clip_grad_norm_(o,max_norm);ledger.count('grad_clip','steps')
def oc(t,a,ledger,start,final,steps):e=min(t.step/steps,1.)if steps>0 else 1.;d=(1-e)*start+e*final;ledger.n('momentum_warmup',f"momentum {d:.4f} at step {t.step}");return a._replace(momentum=d)
def ou(tensor,e,names,lr,a,ledger,weight_decay):tensor.mul_(1-lr*weight_decay*a.v);ledger.count('muon_weight_decay','tensors decayed')
def om(t,steps,scale_first):
 o=t.shape[-2]>t.shape[-1]
 if o:t=t.mT
 t=t/(t.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for u in range(steps):a=t@t.mT;e=2.0315*a@a if scale_first else 2.0315*(a@a);t=3.4445*t+(-4.775*a+e)@t
 return t.mT if o else t
class MuonBank(t):weight:t;names:t;q:t;full:t;b:t;momentum:t;M:t
def of(o,h):
 global ef,ir;ir=eI();ef=[];f=e.bfloat16 if r.type=='cuda'else e.float32
 for(s,y)in sorted(zip(o,h,strict=True),key=lambda eo:-eo[0].numel()):*u,l,b=s.shape;m=-(-len(y)//i);c=(*y,*['']*m*i)[m*p:][:m];g=[(t,l,b)for t in(m*i,m)];n,a=[e.zeros(w,dtype=f,device=r)for w in g];M,d=[e.zeros(w,dtype=e.bfloat16,device=r)for w in g];ef.append(MuonBank(s,y,c,n,a,d,M))
def op():
 global oY;oY=[]
 for t in ef:s=ek(t.weight).bfloat16();t.full.flatten()[:s.numel()].copy_(s.flatten());oY.append(ej(t.b,t.full))
def og(a,l):
 o=[]
 for(t,n)in zip(ef,oY,strict=True):
  ez(n);d=i;s=(t.b/d).bfloat16();e=eM(s,t.momentum,a.momentum);e=eJ(e,t.q);o.append((t,eq(t.M,e),e))
  if len(o)>1:ow(*o.pop(0),a,l)
 for h in o:ow(*h,a,l)
def ow(t,n,e,a,l):ez(n);s=t.weight;o=t.M.flatten()[:s.numel()].view_as(s);eK(s,o,t.names,eN(s),a,l);l.count('parallel_muon','bank updates');l.count('newton_schulz','matrices',t.M.size(0))
def oy():global oZ;oZ=u.perf_counter()-T
def ob():
 global T
 if e.cuda.is_available():e.cuda.synchronize()
 T=u.perf_counter()-oZ;d.n('wall_clock',f"{T:.3f} seconds")
def ov(o):return 1e3*(u.perf_counter()-oZ)
def ok(t,length):
 if length<=0:return 1.
 if t.f>0:a=length*(t.p/max(t.step,1));return min(max(t.f-t.p,.0)/max(a,1e-09),1.)
 o=t.j-t.step;return o/length if 0<o<=length else 1.
def ox(t,a,ledger,length):o=ok(t,length);ledger.n('warmdown_iters',f"multiplier {o:.4f} at step {t.step}");return a._replace(i=a.i*o)
def oj(model,weight,d,i,n,ctx,half):
 if not d.startswith(('attn.','mlp.'))or not ctx.training or'bank_qat'not in ctx.phases:return weight
 ctx.a('bank_qat','matrices');r,o=eS(weight.detach().float(),half);return weight+(eR(r,o,weight.dtype)-weight).detach()
def oq(t,threshold):return t.i<threshold
class oz:
 name='int6'
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int6','tensors kept');return{'kept':tensor.half()}
  ledger.count('int6','tensors quantized');r,o=eS(tensor.float(),True);return{'codes':r,'step':o}
 def decode(e,name,parts,kind):return eU(parts,kind)
class N:
 name='int8'
 def __init__(e,half):e.half=half
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');r,o=eT(tensor.float());return{'codes':r,'step':o}
 def decode(e,name,parts,kind):return eU(parts,kind)
def oA():return Param('qo_bank',(22,512,512),'matrix','attn',(M,j),'banks',d=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(22,256,512),'matrix','attn',(M,M),'banks',d=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(11,1536,512),'matrix','mlp',(M,),'banks',d=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(11,512,1536),'matrix','mlp',(j,),'banks',d=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(5,512),'scalar','control',q,'additive_skips'),Param('bigram.embed.weight',(3072,112),'embed','aux',j,'bigram_hash','activation'),Param('bigram.proj.weight',(512,112),'scalar','aux',M,'bigram_hash'),Param('bigram.scale',(),'scalar','control',a(z,value=.05),'bigram_hash'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',a(z,value=2.5),'qk_gain',layers=11),Param('blocks.{}.attn_scale',(512,),'scalar','control',q,'residual_scales',layers=11),Param('blocks.{}.mlp_scale',(512,),'scalar','control',q,'residual_scales',layers=11),Param('blocks.{}.resid_mix',(2,512),'scalar','control',ap,'residual_scales',layers=11),Param('smear.gate',(512,),'scalar','control',j,'smear_gate'),Param('tok_emb.weight',(1024,512),'embed','embed',a(eE,std=.005),'tied_head','activation',D='head'),Param('ve_shared.embed.weight',(1024,128),'embed','aux',a(eE,std=.01),'value_embedding','activation'),Param('ve_shared.scale',(),'scalar','control',a(z,value=.1),'value_embedding'),Param('ve_layer_scales.{}',(1,),'scalar','control',q,'value_embedding',layers=2),Param('ve_shared.proj.weight',(256,128),'scalar','aux',M,'value_embedding')
def oB():global eh;eh='swa';eP(aJ())
oD=a(ou,weight_decay=.04),
R=None
S={}
T=.0
oE=a(od,max_norm=.3),
oF=Group('embed',.035,.04),Group('scalar',.025,.04)
oG=a(aL,cap=3e1),
oH=a(om,scale_first=False)
U=None
f=Phase('bank_qat',a(oq,threshold=.15),False,'bank_qat'),
oI='adam','additive_skips','bank_qat','banks','bigram_hash','cross_entropy','ema','grad_clip','int6','int8','leaky_relu2','ln_scale','lzma','momentum_warmup','muon_weight_decay','newton_schulz','ortho_init','parallel_muon','partial_rope','pko','qk_gain','residual_scales','sentencepiece_bytes','sequential_loader','sequential_wiring','sliding_eval','smear_gate','swa','tanh_softcap','tied_head','torch_save','unet_plan','value_embedding','wall_clock','warmdown_iters','xsa'
oJ=a(oc,final=.99,start=.92,steps=1500),a(ox,length=4000)
V={'attn':oz(),'aux':N(True),'control':N(False),'embed':N(True),'mlp':oz()}
oK=9,10
oL=a(oj,half=True),
if __name__=='__main__':tW(oA())